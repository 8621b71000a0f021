# SPDX-License-Identifier: MIT
"""A seccomp profile in Docker's JSON: which rules hold for a container on this machine.

Rules: pure. An unknown name of a call is passed over, as Docker does, since a profile names the
calls of all processors. Any other unknown word is an error.

Must not know: the numbers of calls, and how rules become a filter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.errors import UsageError
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPERM = 1
_RET_KILL_PROCESS = 0x80000000
_RET_KILL_THREAD = 0x00000000
_RET_TRAP = 0x00030000
_RET_ERRNO = 0x00050000
_RET_TRACE = 0x7FF00000
_RET_LOG = 0x7FFC0000
RET_ALLOW = 0x7FFF0000
_ACTIONS = {
    "SCMP_ACT_KILL": _RET_KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": _RET_KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": _RET_KILL_PROCESS,
    "SCMP_ACT_TRAP": _RET_TRAP,
    "SCMP_ACT_ERRNO": _RET_ERRNO,
    "SCMP_ACT_TRACE": _RET_TRACE,
    "SCMP_ACT_LOG": _RET_LOG,
    "SCMP_ACT_ALLOW": RET_ALLOW,
}
OPERATORS = frozenset(
    (
        *("SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE"),
        *("SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"),
    )
)
_ARCHITECTURES = {"x86_64": ("SCMP_ARCH_X86_64", "amd64")}
_U64 = 1 << 64


class Condition(Record, frozen=True):
    """A comparison of an argument; for a masked one, *value* is the mask."""

    index: int
    operator: str
    value: int
    second: int


class Rule(Record, frozen=True):
    """The answer to these calls if all conditions hold."""

    names: tuple[str, ...]
    answer: int
    conditions: tuple[Condition, ...]


class Profile(Record, frozen=True):
    """The rules that hold here, and the answer to all other calls."""

    default: int
    rules: tuple[Rule, ...]


class _Arg(msgspec.Struct, frozen=True, rename="camel"):
    index: int
    value: int
    op: str
    value_two: int = 0


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    caps: list[str] = []
    arches: list[str] = []
    min_kernel: str | None = None


class _Call(msgspec.Struct, frozen=True, rename="camel"):
    action: str
    name: str | None = None
    names: list[str] | None = None
    args: list[_Arg] | None = None
    errno_ret: int | None = None
    includes: _Filter = _Filter()
    excludes: _Filter = _Filter()


class _ArchMap(msgspec.Struct, frozen=True, rename="camel"):
    architecture: str


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    default_action: str
    default_errno_ret: int | None = None
    architectures: list[str] | None = None
    arch_map: list[_ArchMap] | None = None
    syscalls: list[_Call] | None = None
    listener_path: str = ""
    flags: list[str] | None = None


def parse_profile(text: str, *, machine: str, release: str, capabilities: int) -> Profile:
    """Return the rules that hold on this machine for a root with these capabilities.

    Raises UsageError.
    """
    try:
        body = msgspec.json.decode(text, type=_Body)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise UsageError(f"decoding seccomp profile failed: {exc}") from None
    if body.listener_path:
        raise UsageError("the seccomp profile wants a listener, and there is none")
    if body.architectures and body.arch_map:
        raise UsageError("both architectures and archMap are specified in the seccomp profile")
    _check_machine(body, machine)
    default = _answer(body.default_action, body.default_errno_ret)
    rules = []
    for call in body.syscalls or ():
        if call.name and call.names:
            raise UsageError("both name and names are specified in the seccomp profile")
        answer = _answer(call.action, call.errno_ret, body.default_errno_ret)
        alternatives = list(_alternatives(call.args or []))
        names = tuple([call.name] if call.name else call.names or [])
        if not _holds(call, machine, release, capabilities) or answer == default:
            continue
        rules += [Rule(names, answer, conditions) for conditions in alternatives]
    return Profile(default, tuple(rules))


def _check_machine(body: _Body, machine: str) -> None:
    named = body.architectures or [item.architecture for item in body.arch_map or ()]
    own = _ARCHITECTURES.get(machine, (machine,))[0]
    if named and own not in named:
        raise UsageError(f"the seccomp profile is not for {machine}: it names {', '.join(named)}")


def _answer(action: str, errno: int | None, default: int | None = None) -> int:
    if action not in _ACTIONS:
        raise UsageError(f"the seccomp profile has an unsupported action: {action}")
    answer = _ACTIONS[action]
    if answer not in (_RET_ERRNO, _RET_TRACE):
        return answer
    chosen = next((item for item in (errno, default) if item is not None), _EPERM)
    if not 0 <= chosen <= 0xFFFF:
        raise UsageError(f"the seccomp profile has an errno that does not exist: {chosen}")
    return answer | chosen


def _alternatives(args: list[_Arg]) -> Iterator[tuple[Condition, ...]]:
    """Yield the conditions; two on one argument are alternatives, as in runc."""
    found = []
    for arg in args:
        if arg.op not in OPERATORS:
            raise UsageError(f"the seccomp profile has an unknown operator: {arg.op}")
        if not 0 <= arg.index < 6 or not 0 <= arg.value < _U64 or not 0 <= arg.value_two < _U64:
            raise UsageError(f"the seccomp profile has a wrong argument: {arg.index}")
        found.append(Condition(arg.index, arg.op, arg.value, arg.value_two))
    if len({item.index for item in found}) < len(found):
        yield from ((item,) for item in found)
    else:
        yield tuple(found)


def _holds(call: _Call, machine: str, release: str, capabilities: int) -> bool:
    """Tell whether the rule is meant for this machine and these capabilities."""
    from sandbox.models.security import capability_names

    owned = set(capability_names(capabilities))
    arches = set(_ARCHITECTURES.get(machine, (machine,)))
    inside, outside = call.includes, call.excludes
    if inside.arches and not arches & set(inside.arches):
        return False
    if not set(inside.caps) <= owned:
        return False
    if inside.min_kernel and _version(release) < _version(inside.min_kernel):
        return False
    if arches & set(outside.arches) or owned & set(outside.caps):
        return False
    return not (outside.min_kernel and _version(release) >= _version(outside.min_kernel))


def _version(text: str) -> tuple[int, int]:
    """Return the first two numbers of a kernel's version.

    >>> _version("6.18.0-custom"), _version("4.8")
    ((6, 18), (4, 8))
    """
    match = re.match(r"(\d+)\.(\d+)", text)
    if match is None:
        raise UsageError(f"the seccomp profile names a strange kernel: {text}")
    return int(match[1]), int(match[2])


def compact(text: str) -> str:
    """Return the JSON without white space, as Docker keeps it. Raises UsageError."""
    try:
        found: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise UsageError(f"compacting json for seccomp profile failed: {exc}") from None
    return msgspec.json.encode(found).decode()

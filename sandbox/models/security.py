# SPDX-License-Identifier: MIT
"""The security options of a container: capabilities of its root, seccomp, no_new_privs.

Rules: pure. The words, and the texts of errors, are Docker's.

Must not know: how a profile becomes a filter, and what enforces a capability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import UsageError
from sandbox.models.record import Record, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

# By number, as in linux/capability.h.
CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"),
    *("SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"),
    *("IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"),
    *("LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"),
    *("WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
ALL_CAPABILITIES = (1 << len(CAPABILITIES)) - 1
DEFAULT_CAPABILITIES = 0xA80425FB
# Those whose powers a program finds here. The kernel refuses the others' to an unprivileged user.
POWERS = frozenset(
    (
        *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID"),
        *("SETUID", "SETPCAP", "NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT", "MKNOD", "SETFCAP"),
        *("AUDIT_WRITE", "SYS_PTRACE", "IPC_OWNER"),
    )
)
_ALL = "ALL"
BUILTIN = "builtin"
UNCONFINED = "unconfined"
_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False"))


class Security(Record, frozen=True, kw_only=True):
    """The security options; *options* are as Docker's inspect shows them.

    *seccomp* is "builtin", "unconfined", or the JSON of a profile.
    """

    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    privileged: bool = False
    options: tuple[str, ...] = ()
    seccomp: str = BUILTIN
    no_new_privileges: bool = False
    require_confinement: bool = False

    @property
    def capabilities(self) -> int:
        """Return the capabilities of the container's root, a bit for each.

        >>> hex(Security().capabilities)
        '0xa80425fb'
        >>> Security(cap_drop=("ALL",), cap_add=("CAP_CHOWN",)).capabilities
        1
        """
        added, dropped = _bits(self.cap_add), _bits(self.cap_drop)
        if self.privileged:
            return ALL_CAPABILITIES
        if _ALL in self.cap_add:
            return ALL_CAPABILITIES & ~dropped
        if _ALL in self.cap_drop:
            return added
        return (DEFAULT_CAPABILITIES & ~dropped) | added

    @property
    def profile(self) -> str:
        """Return the seccomp profile in force; a privileged container has none of its own."""
        return UNCONFINED if self.privileged and self.seccomp == BUILTIN else self.seccomp

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return plain(self)

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> Security:
        """Return the record in JSON; None is that of older containers."""
        if data is None:
            return cls()
        lists = {name: tuple(data[name]) for name in ("cap_add", "cap_drop", "options")}
        return cls(**{**data, **lists})


def _bits(names: Iterable[str]) -> int:
    known = {f"CAP_{name}": 1 << number for number, name in enumerate(CAPABILITIES)}
    return sum(known[name] for name in set(names) if name != _ALL)


def powerless(security: Security) -> list[str]:
    """Return the names of added capabilities that only show, since the kernel keeps their powers.

    >>> powerless(Security(cap_add=("CAP_CHOWN", "CAP_NET_ADMIN")))
    ['NET_ADMIN']
    """
    names = [name.removeprefix("CAP_") for name in security.cap_add]
    return [name for name in names if name not in POWERS]


def capability_names(bits: int) -> list[str]:
    """Return the names of capabilities, as in CAP_CHOWN."""
    return [f"CAP_{name}" for number, name in enumerate(CAPABILITIES) if bits >> number & 1]


def parse_capabilities(texts: Iterable[str], field: str) -> tuple[str, ...]:
    """Return capabilities in their normal form, each once. Raises UsageError.

    >>> parse_capabilities(["chown", " CAP_net_raw", "all"], "CapAdd")
    ('ALL', 'CAP_CHOWN', 'CAP_NET_RAW')
    >>> parse_capabilities(["fly"], "CapAdd")
    Traceback (most recent call last):
    ...
    sandbox.errors.UsageError: invalid CapAdd: unknown capability: "CAP_FLY"
    """
    found = set()
    for text in texts:
        name = text.strip().upper()
        if name != _ALL and not name.startswith("CAP_"):
            name = f"CAP_{name}"
        if name != _ALL and name.removeprefix("CAP_") not in CAPABILITIES:
            raise UsageError(f'invalid {field}: unknown capability: "{name}"')
        found.add(name)
    return tuple(sorted(found))


def chosen_capabilities(
    added: Iterable[str], dropped: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the capabilities to add and to drop. What is in both is added, as in Docker.

    >>> chosen_capabilities(["chown", "kill"], ["CAP_CHOWN", "setuid"])
    (('CAP_CHOWN', 'CAP_KILL'), ('CAP_SETUID',))
    >>> chosen_capabilities(["all", "kill"], ["setuid"])
    (('ALL',), ('CAP_SETUID',))
    """
    add = parse_capabilities(added, "CapAdd")
    drop = parse_capabilities(dropped, "CapDrop")
    if _ALL in add:
        add = (_ALL,)
    if _ALL in drop:
        drop = (_ALL,)
    return add, tuple(name for name in drop if name not in add or name == _ALL)


def parse_options(texts: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of `Security` that --security-opt sets, and what has no effect.

    The value of seccomp is "builtin", "unconfined" or a profile's JSON. Raises UsageError.

    >>> parse_options(["no-new-privileges", "seccomp=unconfined"])[0]
    {'no_new_privileges': True, 'seccomp': 'unconfined'}
    >>> parse_options(["apparmor=docker-default"])
    Traceback (most recent call last):
    ...
    sandbox.errors.UsageError: --security-opt apparmor=docker-default is not supported: \
there is no AppArmor profile to take
    """
    found: dict[str, Any] = {}
    idle = []
    for text in texts:
        name, value = split_option(text)
        match name, value:
            case "no-new-privileges", _:
                found["no_new_privileges"] = _boolean(text, value)
            case "seccomp", _:
                found["seccomp"] = value
            case "require-confinement", _:
                found["require_confinement"] = _boolean(text, value)
            case ("apparmor", "unconfined") | ("label", "disable"):
                pass  # it is so
            case "systempaths", "unconfined":
                idle.append(f"--security-opt {text}")
            case ("apparmor", _):
                raise _unsupported(text, "there is no AppArmor profile to take")
            case ("label", _):
                raise _unsupported(text, "there are no SELinux labels to set")
            case _:
                raise UsageError(f'invalid --security-opt: "{text}"')
    return found, idle


def split_option(text: str) -> tuple[str, str]:
    """Return the name and the value of a security option. Raises UsageError.

    >>> split_option("seccomp:unconfined"), split_option("no-new-privileges")
    (('seccomp', 'unconfined'), ('no-new-privileges', 'true'))
    """
    if text in ("no-new-privileges", "require-confinement"):
        return text, "true"
    name, equals, value = text.partition("=")
    if not equals:
        name, equals, value = text.partition(":")
    if not value:
        raise UsageError(f'invalid --security-opt: "{text}"')
    return name, value


def _boolean(text: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise UsageError(f'invalid --security-opt: "{text}"')
    return value in _TRUE


def _unsupported(text: str, why: str) -> UsageError:
    return UsageError(f"--security-opt {text} is not supported: {why}")


# ---- namespaces: the texts are Docker's, an empty text is the default ------------------

HOST = "host"
PRIVATE = "private"
SHAREABLE = "shareable"
NO_SHM = "none"
_CONTAINER = "container:"
_IPC = (NO_SHM, PRIVATE, SHAREABLE, HOST)


class Namespaces(Record, frozen=True):
    """The modes of a container; ``container:ID`` names another one."""

    ipc: str = PRIVATE
    uts: str = ""

    @property
    def ipc_donor(self) -> str:
        """Return the container whose System V objects and /dev/shm it uses, or ""."""
        return self.ipc.removeprefix(_CONTAINER) if self.ipc.startswith(_CONTAINER) else ""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {"ipc": self.ipc, "uts": self.uts}

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> Namespaces:
        """Return the record in JSON; None is that of a container without a choice."""
        return cls(**data) if data else cls()


def joining(container_id: str) -> str:
    """Return the mode that joins a container."""
    return f"{_CONTAINER}{container_id}"


def checked(ipc: str, uts: str, *, hostname: str | None = None) -> Namespaces:
    """Return the modes of ``--ipc`` and ``--uts``, or raise UsageError in Docker's words.

    >>> checked("", "").ipc, checked("container:db", "").ipc_donor, checked("host", "host").uts
    ('private', 'db', 'host')
    >>> checked("container:", "")
    Traceback (most recent call last):
    ...
    sandbox.errors.UsageError: invalid IPC mode: container:
    """
    joins = ipc.startswith(_CONTAINER) and ipc != _CONTAINER
    if ipc and ipc not in _IPC and not joins:
        raise UsageError(f"invalid IPC mode: {ipc}")
    if uts not in ("", HOST):
        raise UsageError(f"invalid UTS mode: {uts}")
    if uts and hostname:
        raise UsageError("conflicting options: hostname and the UTS mode")
    return Namespaces(ipc or PRIVATE, uts)

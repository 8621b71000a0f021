# SPDX-License-Identifier: MIT
"""Merge the image's defaults and the user's options, as Docker does.

Pure: every function only returns a value.

Does not know: the container's files (`process.lookup` finds commands and users), or what
happens with the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed, UsageError
from sandbox.models.container import Ulimit
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The number of RLIMIT_* is looked up in `resource` only when a limit is set.
ULIMIT_NAMES = frozenset(
    {
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    }
)


class Command(Record, frozen=True):
    """The command line of the main process, in Docker's two parts."""

    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]


def merge_command(
    *,
    image: Command,
    entrypoint: Sequence[str] | None,
    args: Sequence[str],
) -> Command:
    """Return the command line: arguments replace CMD; an entrypoint replaces both parts.

    >>> image = Command(("tini", "--"), ("sh",))
    >>> merge_command(image=image, entrypoint=None, args=["ls"])
    Command(entrypoint=('tini', '--'), cmd=('ls',))
    >>> merge_command(image=image, entrypoint=["cat"], args=[])
    Command(entrypoint=('cat',), cmd=())
    """
    if entrypoint is not None:
        merged = Command(tuple(entrypoint), tuple(args))
    else:
        merged = Command(image.entrypoint, tuple(args) or image.cmd)
    if not merged.entrypoint + merged.cmd:
        raise RuntimeFailed("no command specified")
    return merged


def merge_env(*layers: Iterable[str]) -> tuple[str, ...]:
    """Return ``NAME=value`` entries; a later entry wins, a bare NAME removes the variable.

    >>> merge_env(["A=1", "B=2"], ["A=3", "B"])
    ('A=3',)
    """
    merged: dict[str, str | None] = {}
    for layer in layers:
        for entry in layer:
            name, equals, value = entry.partition("=")
            merged[name] = value if equals else None
    return tuple(f"{name}={value}" for name, value in merged.items() if value is not None)


def base_env(*, hostname: str, tty: bool) -> tuple[str, ...]:
    """Return the variables that every container starts with."""
    base = (f"PATH={DEFAULT_PATH}", f"HOSTNAME={hostname}")
    return (*base, "TERM=xterm") if tty else base


def with_home(env: Sequence[str], home: str) -> tuple[str, ...]:
    """Return *env* with HOME from the user database, unless it is set.

    Bare names, which mark removed variables, are left out.

    >>> with_home(["A=1", "B", "HOME="], "/root")
    ('A=1', 'HOME=/root')
    """
    real = tuple(entry for entry in env if "=" in entry and entry != "HOME=")
    if any(entry.startswith("HOME=") for entry in real):
        return real
    return (*real, f"HOME={home}")


def path_of(env: Iterable[str]) -> str:
    """Return the final PATH of *env*."""
    found = DEFAULT_PATH
    for entry in env:
        if entry.startswith("PATH="):
            found = entry[5:]
    return found


def resolve_env_flags(flags: Iterable[str], host: Mapping[str, str]) -> tuple[str, ...]:
    """Return ``-e`` values; a bare ``NAME`` takes the host's value, if there is one."""
    resolved = []
    for flag in flags:
        name, equals, _ = flag.partition("=")
        if not name:
            raise UsageError(f"invalid environment variable: {flag}")
        if equals or name not in host:
            resolved.append(flag)
        else:
            resolved.append(f"{name}={host[name]}")
    return tuple(resolved)


def parse_env_file(text: str, host: Mapping[str, str], *, name: str) -> tuple[str, ...]:
    """Return the variables of an ``--env-file``; values are taken literally."""
    entries = []
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw.lstrip()
        if not line or line.startswith("#"):
            continue
        variable, equals, value = line.partition("=")
        if not variable:
            raise UsageError(f"{name}: line {number}: no variable name on line '{line}'")
        if any(char.isspace() for char in variable):
            raise UsageError(f"{name}: line {number}: variable '{variable}' contains whitespaces")
        if equals:
            entries.append(f"{variable}={value}")
        elif variable in host:
            entries.append(f"{variable}={host[variable]}")
    return tuple(entries)


def parse_labels(flags: Iterable[str]) -> dict[str, str]:
    """Return ``--label`` values; a label without ``=`` has an empty value."""
    labels = {}
    for flag in flags:
        key, _, value = flag.partition("=")
        if not key:
            raise UsageError(f"invalid label format: {flag!r}")
        labels[key] = value
    return labels


def parse_label_file(text: str, *, name: str) -> tuple[str, ...]:
    r"""Return the labels of a ``--label-file``; a bare name has an empty value.

    >>> parse_label_file("# c\na=1\n\nb", name="x")
    ('a=1', 'b=')
    """
    labels: list[str] = []
    for entry in text.removeprefix("\ufeff").splitlines():
        key = entry.lstrip().partition("=")[0]
        labels += parse_env_file(entry, {key: ""}, name=name)
    return tuple(labels)


def parse_ulimit(text: str) -> Ulimit:
    """Return the limit of ``NAME=SOFT[:HARD]``.

    >>> parse_ulimit("nofile=1024")
    Ulimit(name='nofile', soft=1024, hard=1024)
    """
    name, equals, values = text.partition("=")
    if not equals:
        raise UsageError(f"invalid ulimit argument: {text}")
    if name not in ULIMIT_NAMES:
        raise UsageError(f"invalid ulimit type: {name}")
    soft_text, colon, hard_text = values.partition(":")
    soft = _limit(soft_text, text)
    hard = _limit(hard_text, text) if colon else soft
    if hard != -1 and (soft > hard or soft == -1):
        raise UsageError(
            f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        )
    return Ulimit(name, soft, hard)


def _limit(text: str, whole: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise UsageError(f"invalid ulimit value in {whole!r}") from None
    if value < -1:
        raise UsageError(f"invalid ulimit value in {whole!r}")
    return value


def parse_hostname(text: str) -> str:
    """Return *text* if it is a valid host name."""
    labels = text.split(".")
    for label in labels:
        plain = label.replace("-", "").replace("_", "")
        if not (plain.isascii() and plain.isalnum()) or label.startswith("-"):
            raise UsageError(f"invalid hostname format: {text}")
    if len(text) > 64:
        raise UsageError(f"invalid hostname: {text} is longer than 64 characters")
    return text


def parse_platform(text: str) -> tuple[str, str]:
    """Return (operating system, architecture) of ``os[/arch[/variant]]``.

    >>> parse_platform("linux/x86_64"), parse_platform("arm64")
    (('linux', 'amd64'), ('linux', 'arm64'))
    """
    parts = text.lower().split("/")
    if not all(parts) or len(parts) > 3:
        raise UsageError(f'"{text}": unknown operating system or architecture')
    if len(parts) == 1 and parts[0] != "linux":
        parts = ["linux", parts[0]]
    system = parts[0]
    machine = parts[1] if len(parts) > 1 else "amd64"
    names = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
    return system, names.get(machine, machine)


def tty_conflict(*, tty: bool, attach_stdin: bool, stdin_is_tty: bool) -> str | None:
    """Return Docker's message if ``-t`` needs a terminal and there is none."""
    if tty and attach_stdin and not stdin_is_tty:
        return "the input device is not a TTY"
    return None

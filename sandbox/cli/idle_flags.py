# SPDX-License-Identifier: MIT
"""The flags that are taken and have no effect: `models.idle_settings` says which and why.

Rules: each that is given leaves one line on standard error; `-q` and SANDBOX_NO_WARNINGS=1 leave
them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cli.stdio import warn
from sandbox.models import idle_settings
from sandbox.models.idle_settings import ON_CREATE, ON_UPDATE, SHARES, Idle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.cli.quick_words import Table


def _options(items: Iterable[Idle]) -> Table:
    return tuple((_names(item), _settings(item)) for item in items)


def _names(item: Idle) -> tuple[str, ...]:
    return ("-c", item.flag) if item is SHARES else (item.flag,)


def _settings(item: Idle) -> dict[str, Any]:
    text = f"No effect: {item.reason}."
    if item.kind == "switch":
        return {"is_flag": True, "help": text}
    return {"multiple": item.is_repeated, "metavar": item.metavar, "help": text}


IDLE_OPTIONS = _options((SHARES, *ON_CREATE))
TRACE_OPTIONS = _options(ON_CREATE)
"""`trace` has another `-c`."""
UPDATE_OPTIONS = _options((SHARES, *ON_UPDATE))


_BUILD = "the limits of a build are its command's"
_OF_BUILD = (
    *(("-c", "--cpu-shares", "N"), ("", "--cpu-period", "N"), ("", "--cpu-quota", "N")),
    *(("", "--cpuset-cpus", "CPUS"), ("", "--cpuset-mems", "NODES")),
    *(("-m", "--memory", "BYTES"), ("", "--memory-swap", "BYTES"), ("", "--shm-size", "BYTES")),
)
BUILD_OPTIONS: Table = tuple(
    (tuple(filter(None, (short, flag))), {"metavar": metavar, "help": f"No effect: {_BUILD}."})
    for short, flag, metavar in _OF_BUILD
)


def idle_fields(options: Mapping[str, Any], *, quiet: bool = False) -> dict[str, Any]:
    """Return the fields that the flags set, for inspect; warn of each."""
    found = {}
    for item in (SHARES, *ON_CREATE):
        value = idle_settings.parse(item, options.get(_key(item.flag)))
        if value is not None:
            found[item.field] = value
            warn(item.warning, quiet=quiet)
    return found


def warn_of_build(options: Mapping[str, Any]) -> None:
    """Warn of the limits that a build does not have."""
    for _, flag, _ in _OF_BUILD:
        if options.get(_key(flag)) is not None:
            warn(f"{flag} has no effect: {_BUILD}", quiet=bool(options.get("quiet")))


def _key(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")

# SPDX-License-Identifier: MIT
"""The ``--name=value`` flags of an instruction. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.dockerfile.go_text import did_you_mean
from sandbox.dockerfile.words import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Known:
    """The flags that an instruction accepts, by the kind of their value."""

    texts: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all flags."""
        return (*self.texts, *self.switches, *self.lists)


@dataclass(frozen=True)
class Given:
    """The flags that were given."""

    values: dict[str, list[str]]

    def text(self, name: str) -> str:
        """Return the value of a flag; "" if it was not given."""
        return self.values.get(name, [""])[0]

    def switch(self, name: str) -> bool | None:
        """Return whether a flag is on; None if it was not given."""
        return self.values[name][0] == "true" if name in self.values else None

    def list(self, name: str) -> tuple[str, ...]:
        """Return all values of a flag that may be repeated."""
        return tuple(self.values.get(name, ()))


def parse_flags(arguments: Sequence[str], known: Known) -> Given:
    """Return the flags in *arguments*. Raises ArgumentError for one that is not *known*."""
    values: dict[str, list[str]] = {}
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        if name not in known.names:
            raise ArgumentError(did_you_mean(f"unknown flag: --{name}", name, known.names))
        if name in values and name not in known.lists:
            raise ArgumentError(f"duplicate flag specified: --{name}")
        if name in known.switches:
            value = _switch(name, bool(equals), value)
        elif not equals:
            raise ArgumentError(f"missing a value on flag: --{name}")
        values.setdefault(name, []).append(value)
    return Given(values)


def _switch(name: str, has_value: bool, value: str) -> str:
    if not has_value:
        return "true"
    if not value:
        raise ArgumentError(f"missing a value on flag: --{name}")
    if value.lower() not in ("true", "false"):
        raise ArgumentError(f"expecting boolean value for flag --{name}, not: {value}")
    return value.lower()

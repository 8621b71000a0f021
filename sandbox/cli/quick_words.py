# SPDX-License-Identifier: MIT
"""Understand the usual command lines of a verb without click, which takes long to import.

Rules: click decides what is right. Here only words are understood whose meaning the table of
options tells alone; everything else (mistakes, help, numbers, clusters that end in an unknown
letter, values that look like options) is left to click. A test compares both.

Does not know: which options exist, or what they do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Table = tuple[tuple[tuple[str, ...], dict[str, Any]], ...]


class _UnusualError(Exception):
    """The words are left to click."""


class _Option:
    """One option: its names, and what its absence means."""

    def __init__(self, names: tuple[str, ...], settings: Mapping[str, Any]) -> None:
        """Take apart a row of a table."""
        self.on, _, off = names[-1].partition("/")
        self.names = (*names[:-1], self.on)
        self.off = off
        longs = [name for name in self.names if name.startswith("--")]
        self.key = longs[0][2:].replace("-", "_")
        self.is_flag = bool(off) or settings.get("is_flag", False)
        self.is_many = settings.get("multiple", False)
        self.is_text = "type" not in settings
        self.envvar: str = settings.get("envvar", "")
        self.default: Any = settings.get("default", False if self.is_flag else None)

    def take(self, found: dict[str, Any], value: Any) -> None:
        """Add a value to those that were found."""
        if self.is_many:
            found[self.key] = (*found[self.key], value)
        else:
            found[self.key] = value


def parse(
    table: Table, words: Sequence[str], environ: Mapping[str, str] = os.environ
) -> tuple[dict[str, Any], list[str]] | None:
    """Return the options and the words behind them; None if click should parse the words."""
    options = [_Option(names, settings) for names, settings in table]
    known = {name: (item, True) for item in options for name in item.names}
    known |= {item.off: (item, False) for item in options if item.off}
    found = {
        item.key: () if item.is_many else environ.get(item.envvar) or item.default
        for item in options
    }
    rest = list(words)
    try:
        while rest and rest[0].startswith("-"):
            for item, value in _values(rest, known):
                item.take(found, value)
    except _UnusualError:
        return None
    return found, rest


def _values(
    rest: list[str], known: Mapping[str, tuple[_Option, bool]]
) -> Iterator[tuple[_Option, Any]]:
    """Take the next word and its value off *rest*."""
    word = rest.pop(0)
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        item, is_on = known.get(name, (None, False))
        if item is None or (item.is_flag and equals) or not (item.is_flag or item.is_text):
            raise _UnusualError
        if item.is_flag:
            yield item, is_on
        else:
            yield item, value if equals else _next(rest)
        return
    letters = word[1:]
    if not letters:
        raise _UnusualError
    while letters:
        item, is_on = known.get(f"-{letters[0]}", (None, False))
        letters = letters[1:]
        if item is None or not (item.is_flag or item.is_text) or letters.startswith("="):
            raise _UnusualError
        if item.is_flag:
            yield item, is_on
        else:
            yield item, letters or _next(rest)
            return


def _next(rest: list[str]) -> str:
    if not rest or rest[0].startswith("-"):
        raise _UnusualError
    return rest.pop(0)

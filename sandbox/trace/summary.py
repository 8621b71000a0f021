# SPDX-License-Identifier: MIT
"""A table of calls: how often each was made, in which way, and how long it took."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.trace.lines import Call


class _Row:
    """The sums for one call."""

    def __init__(self) -> None:
        self.nanoseconds = 0
        self.errors = 0
        self.ways = {"t": 0, "r": 0, "p": 0}

    @property
    def calls(self) -> int:
        """Return the number of calls."""
        return sum(self.ways.values())


class Summary:
    """Sums over all calls."""

    def __init__(self) -> None:
        """Start with no calls."""
        self._rows: dict[str, _Row] = defaultdict(_Row)

    def add(self, call: Call) -> None:
        """Add a call; the start of a new program does not count."""
        if call.way == "x":
            return
        row = self._rows[call.name]
        row.nanoseconds += call.nanoseconds
        row.errors += call.is_error
        row.ways[call.way] += 1

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table, the call with the most time first."""
        everything = sum(row.nanoseconds for row in self._rows.values()) or 1
        head = ("% time", "seconds", "us/call", "calls", "errors", "trapped", "rewritten", "ptrace")
        yield _line(head, "call")
        yield _line(("------", *["---------"] * 7), "----------------")
        ordered = sorted(self._rows.items(), key=lambda item: -item[1].nanoseconds)
        for name, row in ordered:
            yield _line(_cells(row, everything), name)
        total = _Row()
        for row in self._rows.values():
            total.nanoseconds += row.nanoseconds
            total.errors += row.errors
            for way, count in row.ways.items():
                total.ways[way] += count
        yield _line(("------", *["---------"] * 7), "----------------")
        yield _line(_cells(total, everything), "total")


def _cells(row: _Row, everything: int) -> tuple[str, ...]:
    numbers = (row.calls, row.errors, row.ways["t"], row.ways["r"], row.ways["p"])
    return (
        f"{100 * row.nanoseconds / everything:.2f}",
        f"{row.nanoseconds / 1e9:.6f}",
        f"{row.nanoseconds / 1000 / max(row.calls, 1):.1f}",
        *(str(number) if number else "" for number in numbers),
    )


def _line(cells: tuple[str, ...], name: str) -> str:
    return f"{cells[0]:>6} " + " ".join(f"{cell:>9}" for cell in cells[1:]) + f" {name}"

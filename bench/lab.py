# SPDX-License-Identifier: MIT
"""One session of measuring: the tree, the ways into it, and the results so far.

A piece of work has many cells in the table: one for each of its rows and each way. The first cell
measures all of them, interleaved. Every cell then reports its own samples to pytest-benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.measure import CLOCK, INSIDE_ONLY, OURS, Effort, Outcome, Row, Work, measure

if TYPE_CHECKING:
    from bench.ways import Way


@dataclass
class Lab:
    """The state of a session.

    *missing* holds the reasons why ways cannot be used; *load* is the machine's load at the start.
    """

    folder: Path
    effort: Effort
    ways: dict[str, Way]
    missing: dict[str, str]
    load: float
    outcomes: list[tuple[Work, Outcome]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # results outside of the table

    def outcome(self, work: Work) -> Outcome:
        """Return the outcome of *work*; measure it first if that is still to do."""
        for known, outcome in self.outcomes:
            if known is work:
                return outcome
        outcome = measure(work, self.ways, self.effort)
        self.outcomes.append((work, outcome))
        return outcome

    def rows(self) -> list[tuple[Row, Outcome]]:
        """Return the lines of the table, in the order of measuring."""
        return [(row, outcome) for work, outcome in self.outcomes for row in work.rows]

    def notes(self) -> list[str]:
        """Return the notes below the table, one line each."""
        notes = [way.note for way in self.ways.values() if way.note]
        notes += [f"{name}: {reason}" for name, reason in self.missing.items()]
        for work, outcome in self.outcomes:
            for name, reason in outcome.failures.items():
                notes.append(f"{name}: {work.rows[0].label}: {reason}")
        return [*notes, *self.remarks]


@dataclass(frozen=True)
class Cell:
    """A cell of the table for pytest-benchmark."""

    lab: Lab
    benchmark: Any

    def report(self, work: Work, row: Row, way: str) -> None:
        """Report the samples of one row and way, or the reason why there are none."""
        outcome = self.lab.outcome(work)
        if way in self.lab.missing:
            refuse(way, self.lab.missing[way])
        if way in outcome.failures:
            refuse(way, outcome.failures[way])
        samples = outcome.samples[way][row.key]
        self.benchmark.group = row.key
        self.benchmark.extra_info.update(
            way=way,
            ratio=outcome.ratio(way, row.key),
            cpu_ratio=outcome.cpu_ratio(way, row.key),
            cpu_seconds=[s.cpu_seconds for s in samples],
            memory_kib=max(s.memory_kib for s in samples),
        )
        self.benchmark.pedantic(CLOCK.replay(samples), rounds=len(samples), iterations=1)


def refuse(way: str, reason: str) -> None:
    """Skip a cell without a figure; fail if a way of this project should have one."""
    message = f"{way}: {reason}"
    if way in OURS and reason != INSIDE_ONLY:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)

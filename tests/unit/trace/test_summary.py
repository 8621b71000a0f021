# SPDX-License-Identifier: MIT
"""The table of calls."""

from __future__ import annotations

from sandbox.trace.lines import Call
from sandbox.trace.summary import Summary


def call(name: str, way: str, nanoseconds: int, result: str = "0") -> Call:
    return Call(1, way, nanoseconds, name, (), result, (), ())


def test_the_call_that_took_most_stands_first_and_the_sum_last() -> None:
    summary = Summary()
    summary.add(call("stat", "r", 1000))
    summary.add(call("stat", "t", 1000, "-ENOENT"))
    summary.add(call("open", "p", 6000))
    summary.add(call("execve", "x", 0))
    rows = [line.split() for line in summary.lines()]
    assert [row[-1] for row in rows[2:-2]] == ["open", "stat"]
    assert rows[3] == ["25.00", "0.000002", "1.0", "2", "1", "1", "1", "stat"]
    assert rows[-1] == ["100.00", "0.000008", "2.7", "3", "1", "1", "1", "1", "total"]


def test_a_table_of_nothing_has_no_rows() -> None:
    lines = list(Summary().lines())
    assert len(lines) == 4
    assert lines[-1].split()[-1] == "total"

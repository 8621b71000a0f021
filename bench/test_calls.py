# SPDX-License-Identifier: MIT
"""Measure single system calls; the loops are in programs/calls.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.measure import CLOCK, QUICK, Row, Sample, Work, WorkError, loop_samples
from bench.ways import NAMES, Way

if TYPE_CHECKING:
    from bench.lab import Cell

ROWS = (
    Row("stat", "stat of an image file", ratio_limit=1),
    Row("stat-missing", "stat of a missing file", ratio_limit=1),
    Row("two-storms", "stat, two processes at once", ratio_limit=1),
    Row("fstat", "fstat of an image file", ratio_limit=1.2),
    Row("getcwd", "getcwd", ratio_limit=1),
    Row("open-close", "open + close of an image file"),
    Row("open-fenced", "the same, everyone behind Landlock", ratio_limit=1.15),
    Row("getdents", "list an image folder of 100"),
    Row("create", "create a file, write 100 bytes", ratio_limit=1.3),
    Row("rename", "rename a new file", ratio_limit=1.5),
    Row("unlink", "unlink a new file", ratio_limit=1.4),
    Row("fork-exec-wait", "fork + exec + wait, dynamic", ratio_limit=1.3),
    Row("read", "pread, never intercepted", ratio_limit=1.5),
    Row("write", "write, never intercepted", ratio_limit=1.5),
    Row("futex", "futex wake, never intercepted", ratio_limit=1.5),
    Row("mmap", "mmap + munmap, never intercepted", ratio_limit=1.5),
    Row("poll", "poll, never intercepted", ratio_limit=1.5),
    Row("getpid", "getpid, answered where it is called", ratio_limit=1.0),
    Row("semop", "semop, up and down", ratio_limit=1.3),
    Row("shmget", "shmget + shmctl"),
)
BATCHES, SCALE = "6" if QUICK else "20", "100"


def run_calls(way: Way) -> dict[str, Sample]:
    """Run all loops once; the sample of each is its quickest batch."""
    if way.programs != "bin":
        raise WorkError("its library does not carry the loops: they fail, and leave a child behind")
    program = ("{bin}/calls", "{root}/bench", BATCHES, SCALE)
    return loop_samples(way, program, ROWS)


CALLS = Work(ROWS, run_calls)


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_call(cell: Cell, row: Row, way: str) -> None:
    """Measure all rows once; then report this cell."""
    cell.report(CALLS, row, way)

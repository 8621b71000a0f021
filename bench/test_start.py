# SPDX-License-Identifier: MIT
"""Measure the whole command that starts `true` inside."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.measure import CLOCK, Row, Sample, Work, WorkError, timed_sample
from bench.ways import NAMES, Way

if TYPE_CHECKING:
    from bench.lab import Cell

ROW = Row("run-true", "run --rm of true, whole command", seconds_limit=0.1)
COUNT = "5"


def run_true(way: Way, timer: Path) -> dict[str, Sample]:
    """Time the way from outside; native is the program itself."""
    command = ["/bin/true"] if way.name == "native" else way.argv(("/bin/true",))
    done = subprocess.run(
        [str(timer), COUNT, *command],
        env=way.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WorkError(f"exit {done.returncode}: {done.stderr.strip().splitlines()[-1]}")
    return {ROW.key: timed_sample(done.stderr)}


@pytest.fixture(scope="session")
def start(timer: Path) -> Work:
    """Return the work, which a program on the host times."""
    return Work((ROW,), lambda way: run_true(way, timer))


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.parametrize("way", NAMES)
def test_start(cell: Cell, start: Work, way: str) -> None:
    """Measure all ways once; then report this cell."""
    cell.report(start, ROW, way)

# SPDX-License-Identifier: MIT
"""Measure system calls on files that a program itself has made; the loops are in programs/own.c.

Every way confines itself by Landlock, so the rows of `open` compare equals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.measure import CLOCK, QUICK, Row, Sample, Work, WorkError, loop_samples
from bench.ways import NAMES, Way

if TYPE_CHECKING:
    from bench.lab import Cell

ROWS = (
    Row("own-lstat-path", "own files: lstat, whole path", ratio_limit=1.1),
    Row("own-lstat-name", "own files: lstat, name", ratio_limit=1.1),
    Row("own-lstat-deep", "own files: lstat, two folders down", ratio_limit=1.1),
    Row("own-lstat-at", "own files: fstatat", ratio_limit=1.1),
    Row("own-missing", "own files: lstat of a missing name", ratio_limit=1),
    Row("own-access", "own files: access", ratio_limit=1.1),
    Row("own-open-path", "own files: open + close, whole path", ratio_limit=1.15),
    Row("own-open-name", "own files: open + close, name", ratio_limit=1.15),
    Row("own-open-read", "own files: open, fstat, read, close", ratio_limit=1.15),
    Row("own-chmod", "own files: chmod", ratio_limit=1.4),
    Row("own-utimens", "own files: utimensat", ratio_limit=1.4),
    Row("own-chown", "own files: lchown to oneself", ratio_limit=1.4),
    Row("own-link", "own files: link + unlink", ratio_limit=1.5),
    Row("own-symlink", "own files: symlink + unlink", ratio_limit=1.5),
    Row("own-mkdir", "own files: mkdir + rmdir", ratio_limit=1.5),
    Row("own-readlink", "own files: readlink", ratio_limit=1.2),
    Row("own-list", "own files: list 200", ratio_limit=1.2),
)
BATCHES = "5" if QUICK else "20"


def run_own(way: Way) -> dict[str, Sample]:
    """Run all loops once; the sample of each is its quickest batch."""
    if way.programs != "bin":
        raise WorkError("its library does not carry the loops")
    return loop_samples(way, ("{bin}/own", "{root}/bench/work", BATCHES), ROWS)


OWN = Work(ROWS, run_own)


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_own_files(cell: Cell, row: Row, way: str) -> None:
    """Measure all rows once; then report this cell."""
    cell.report(OWN, row, way)

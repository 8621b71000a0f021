# SPDX-License-Identifier: MIT
"""Measure a build, and a second build of the unchanged Dockerfile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import builds
from bench.measure import QUICK
from bench.tree import root_file_system

if TYPE_CHECKING:
    from bench.lab import Lab

ROUNDS = 2 if QUICK else 5


def test_build(lab: Lab, benchmark: Any) -> None:
    """Measure both builds; the reported figure is that of the second."""
    folder = lab.folder / "builds"
    folder.mkdir()
    found = builds.measure(folder, root_file_system(), ROUNDS)
    lab.remarks.append(builds.summary(found))
    benchmark.group = "build"
    times = iter(found["sandbox"].second)
    benchmark.pedantic(lambda: next(times), rounds=ROUNDS, iterations=1)

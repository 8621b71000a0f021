# SPDX-License-Identifier: MIT
"""Measure an exec, and the memory and CPU time of idle containers."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import pytest

from bench import detached
from bench.measure import CLOCK, QUICK, Sample

if TYPE_CHECKING:
    from bench.lab import Lab

COUNT, SECONDS, ROUNDS = (4, 3.0, 5) if QUICK else (50, 20.0, 15)
EXEC_LIMIT = 0.1


@pytest.mark.benchmark(timer=CLOCK.read)
def test_detached(lab: Lab, benchmark: Any) -> None:
    """Measure both with the same containers; the reported figure is exec's."""
    host = detached.Host(lab.folder / "detached")
    with host.sleepers(COUNT) as keepers:
        idle = detached.watch(keepers, SECONDS)
        times = detached.exec_times(host, "c0", ROUNDS)
    median = statistics.median(times)
    missed = ", missed" if median > EXEC_LIMIT else ""
    lab.remarks.append(f"`exec` of true, whole command: {median * 1000:.0f} ms (≤ 100 ms{missed})")
    lab.remarks.append(str(idle))
    benchmark.group = "exec-true"
    benchmark.extra_info.update(vars(idle))
    samples = [Sample(seconds) for seconds in times]
    benchmark.pedantic(CLOCK.replay(samples), rounds=ROUNDS, iterations=1)

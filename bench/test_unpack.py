# SPDX-License-Identifier: MIT
"""Measure the unpacking of an image, beside umoci, and beside skopeo with tar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import unpack
from bench.measure import QUICK

if TYPE_CHECKING:
    from bench.lab import Lab

FILES, SIZE, ROUNDS = (2_000, 20 << 20, 2) if QUICK else (20_000, 200 << 20, 3)


def test_unpack(lab: Lab, benchmark: Any) -> None:
    """Measure all tools in turn; the reported figure is sandbox's."""
    runs = unpack.measure(lab.folder, files=FILES, size=SIZE, rounds=ROUNDS)
    lab.remarks.append(unpack.summary(runs, FILES))
    for way, samples in runs.items():
        benchmark.extra_info[way] = [run.seconds for run in samples]
    times = iter([run.seconds for run in runs["sandbox load"]])
    benchmark.group = "unpack"
    benchmark.pedantic(lambda: next(times), rounds=ROUNDS, iterations=1)

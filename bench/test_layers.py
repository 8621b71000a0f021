# SPDX-License-Identifier: MIT
"""Compare the start of a container of many layers with one of a single layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import layers
from bench.measure import QUICK

if TYPE_CHECKING:
    from bench.lab import Lab

LAYERS, FILES, ROUNDS = (60, 100, 5) if QUICK else (60, 5000, 20)


def test_layers(lab: Lab, benchmark: Any) -> None:
    """Measure both images in turn; the reported figure is that of many layers."""
    starts = layers.measure(lab.folder, layers=LAYERS, files=FILES, rounds=ROUNDS)
    lab.remarks.append(layers.summary(starts, LAYERS, FILES))
    benchmark.extra_info["one layer"] = starts.seconds[layers.ONE]
    times = iter(starts.seconds[layers.MANY])
    benchmark.group = "layers"
    benchmark.pedantic(lambda: next(times), rounds=ROUNDS, iterations=1)

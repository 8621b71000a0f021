# SPDX-License-Identifier: MIT
"""The numbers from which clients compute percentages."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.api.containers import stats
from sandbox.engine.containers.stats import Sample
from sandbox.errors import SandboxError

BOX: Any = SimpleNamespace(
    config=SimpleNamespace(id="box", name="web", policy=SimpleNamespace(memory=0))
)


def test_cpu_time_and_elapsed_time_have_the_same_unit() -> None:
    before, after = Sample(moment=100.0, cpu=1.0), Sample(moment=101.0, cpu=1.5, memory=7, pids=3)
    found = stats._object(BOX, before, after)
    used = [found[name]["cpu_usage"]["total_usage"] for name in ("precpu_stats", "cpu_stats")]
    there = [found[name]["system_cpu_usage"] for name in ("precpu_stats", "cpu_stats")]
    count = os.cpu_count() or 1
    # docker stats shows the share of all CPUs' time, times the number of CPUs.
    assert (used[1] - used[0]) / (there[1] - there[0]) * count == pytest.approx(0.5)
    assert (found["pids_stats"]["current"], found["memory_stats"]["usage"]) == (3, 7)
    assert (found["name"], found["id"]) == ("/web", "box")


def test_the_first_object_has_no_previous_values() -> None:
    found = stats._object(BOX, None, Sample(moment=5.0))
    assert found["preread"] == "0001-01-01T00:00:00Z"
    assert "system_cpu_usage" not in found["precpu_stats"]


def test_without_a_limit_the_memory_limit_is_the_machine_s_memory() -> None:
    assert stats._object(BOX, None, Sample(0.0))["memory_stats"]["limit"] > 2**20


def test_one_measurement_serves_all_simultaneous_clients() -> None:
    asked: list[str] = []

    async def look(_function: object, identity: str) -> Sample:
        asked.append(identity)
        await asyncio.sleep(0.01)
        return Sample(1.0)

    call: Any = SimpleNamespace(
        work=SimpleNamespace(look=look),
        engine=SimpleNamespace(containers=SimpleNamespace(stats=None)),
    )

    async def main() -> None:
        await asyncio.gather(*(stats._look(call, BOX) for _ in range(20)))

    asyncio.run(main())
    stats._looks.clear()
    assert asked == ["box"]


def test_a_container_that_has_ended_uses_nothing() -> None:
    async def look(*_: object) -> Sample:
        raise SandboxError("not running")

    call: Any = SimpleNamespace(
        work=SimpleNamespace(look=look),
        engine=SimpleNamespace(containers=SimpleNamespace(stats=None)),
    )
    found = asyncio.run(stats._look(call, BOX))
    stats._looks.clear()
    assert (found.cpu, found.memory, found.pids) == (0, 0, 0)

# SPDX-License-Identifier: MIT
"""A container that uses more memory than it may is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.models.container import ContainerState
from sandbox.runtime.supervisor import memory_limit
from sandbox.runtime.supervisor.memory_limit import MemoryWatch, memory_period


class Record:
    """What the watch does to a container's record."""

    def __init__(self, limit: int) -> None:
        policy = SimpleNamespace(memory=limit)
        self.container: Any = SimpleNamespace(
            config=SimpleNamespace(policy=policy), state=ContainerState(status="running")
        )
        self.told: list[str] = []

    def tell(self, action: str) -> None:
        self.told.append(action)

    def change(self, state: ContainerState) -> None:
        self.container.state = state


def session(pids: list[int], *, held: frozenset[str] = frozenset()) -> Any:
    waits: list[float] = []

    def kill(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    return SimpleNamespace(
        held=held,
        main=SimpleNamespace(send=lambda number: waits.append(-number)),
        run_dir="/run",
        processes=lambda: pids,
        kill=kill,
        after=lambda seconds, _: waits.append(seconds) or SimpleNamespace(action=None),
        waits=waits,
    )


def test_the_closer_to_the_limit_the_sooner_it_is_looked_at_again() -> None:
    periods = [memory_period(room, 2) for room in (0, 1 << 28, 1 << 32, 1 << 50)]
    assert periods == sorted(periods)
    assert periods[0] == 0.04
    assert periods[-1] == 1.0
    assert memory_period(1 << 32, 64) < memory_period(1 << 32, 1), "more CPUs fill it sooner"


def test_within_the_limit_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "resident_bytes", lambda *_args, **_options: 10)
    record, loop = Record(limit=1 << 40), session([])
    MemoryWatch(record, loop)  # type: ignore[arg-type]
    assert loop.waits == [1.0]
    assert record.told == []


def test_beyond_it_all_processes_are_killed_and_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "resident_bytes", lambda *_args, **_options: 11)
    with subprocess.Popen(["sleep", "100"]) as child:
        record, loop = Record(limit=10), session([child.pid, 2**22 + 1])
        MemoryWatch(record, loop)  # type: ignore[arg-type]
        assert child.wait(timeout=10) == -signal.SIGKILL
    assert record.told == ["oom"]
    assert record.container.state.oom_killed
    assert loop.waits == [-signal.SIGKILL]


@pytest.mark.parametrize(("limit", "held"), [(0, frozenset()), (10, frozenset({"memory"}))])
def test_without_a_limit_or_with_a_cgroup_nobody_looks(limit: int, held: frozenset[str]) -> None:
    loop = session([], held=held)
    MemoryWatch(Record(limit), loop)  # type: ignore[arg-type]
    assert loop.waits == []

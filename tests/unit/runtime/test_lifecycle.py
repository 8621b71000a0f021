# SPDX-License-Identifier: MIT
"""The state transitions of a container."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from sandbox.errors import Conflict
from sandbox.models.container import ContainerState, Status
from sandbox.runtime import lifecycle
from sandbox.runtime.lifecycle import Event, MainProcess

LEGAL = {
    ("created", "start"): "running",
    ("created", "fail"): "created",
    ("exited", "start"): "running",
    ("exited", "fail"): "exited",
    ("running", "pause"): "paused",
    ("running", "wait"): "restarting",
    ("running", "exit"): "exited",
    ("running", "lost"): "exited",
    ("paused", "unpause"): "running",
    ("paused", "wait"): "restarting",
    ("paused", "exit"): "exited",
    ("paused", "lost"): "exited",
    ("restarting", "start"): "running",
    ("restarting", "fail"): "exited",
    ("restarting", "exit"): "exited",
    ("restarting", "lost"): "exited",
}
ALL = list(itertools.product(get_args(Status), get_args(Event)))
PROCESS = MainProcess(pid=12, start_time=34, run_dir="/r")


@pytest.mark.parametrize(("status", "event"), ALL)
def test_every_transition_is_allowed_or_a_conflict(status: Status, event: Event) -> None:
    if (status, event) in LEGAL:
        assert lifecycle.next_status(status, event) == LEGAL[status, event]
    else:
        with pytest.raises(Conflict):
            lifecycle.next_status(status, event)


def test_a_run_leaves_its_times_and_exit_code() -> None:
    state = lifecycle.started(ContainerState(), PROCESS, "t1")
    assert (state.pid, state.pid_start, state.run_dir) == (12, 34, "/r")
    state = lifecycle.exited(state, 3, "t2")
    assert state == ContainerState(status="exited", exit_code=3, started_at="t1", finished_at="t2")


def test_a_container_whose_end_was_not_seen_counts_as_killed() -> None:
    state = lifecycle.started(ContainerState(), PROCESS, "t1")
    state = lifecycle.lost(state, "t2")
    assert (state.status, state.exit_code) == ("exited", 137)
    assert "supervisor" in state.error


def test_a_failed_start_records_its_reason() -> None:
    state = lifecycle.failed(ContainerState(), 127, "not found")
    assert (state.status, state.exit_code, state.error) == ("created", 127, "not found")


def test_a_running_container_is_removed_only_by_force() -> None:
    running = lifecycle.started(ContainerState(), PROCESS, "t1")
    with pytest.raises(Conflict, match="container is running"):
        lifecycle.may_remove(running, name="x", force=False)
    lifecycle.may_remove(running, name="x", force=True)
    lifecycle.may_remove(ContainerState(), name="x", force=False)


@pytest.mark.parametrize(("status", "code"), [(0, 0), (7 << 8, 7), (15, 143), (139, 139)])
def test_a_death_by_signal_gives_128_plus_its_number(status: int, code: int) -> None:
    assert lifecycle.exit_code_of(status) == code

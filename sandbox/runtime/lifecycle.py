# SPDX-License-Identifier: MIT
"""The states of a container as a table: created, running, paused, restarting, exited.

Rules: every transition is in this file. It starts and stops nothing and reads neither a
clock nor /proc; callers pass the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandbox.errors import Conflict
from sandbox.models.container import ContainerState, Status
from sandbox.models.record import Record, replace

if TYPE_CHECKING:
    from sandbox.models.policy import Usage

Event = Literal["start", "fail", "exit", "wait", "pause", "unpause", "lost"]

# (status, event) -> status. Every other event is illegal.
_TRANSITIONS: dict[tuple[Status, Event], Status] = {
    ("created", "start"): "running",
    ("created", "fail"): "created",
    ("exited", "start"): "running",
    ("exited", "fail"): "exited",
    ("running", "pause"): "paused",
    ("running", "exit"): "exited",
    ("running", "wait"): "restarting",
    ("running", "lost"): "exited",
    ("paused", "unpause"): "running",
    ("paused", "exit"): "exited",
    ("paused", "wait"): "restarting",
    ("paused", "lost"): "exited",
    ("restarting", "start"): "running",
    ("restarting", "fail"): "exited",
    ("restarting", "exit"): "exited",
    ("restarting", "lost"): "exited",
}

# The exit code of a main process that vanished with its supervisor.
LOST_EXIT_CODE = 137

_REFUSALS: dict[Event, str] = {
    "start": "the container is already running",
    "fail": "the container is already running",
    "exit": "the container is not running",
    "wait": "the container is not running",
    "pause": "the container is not running",
    "unpause": "the container is not paused",
    "lost": "the container is not running",
}


class MainProcess(Record, frozen=True):
    """The main process: its end is the container's end; and the fence around it."""

    pid: int
    start_time: int
    run_dir: str
    landlock: int = 0
    seccomp: bool = False


def next_status(status: Status, event: Event) -> Status:
    """Return the status after *event*, or raise `Conflict`."""
    try:
        return _TRANSITIONS[status, event]
    except KeyError:
        raise Conflict(_REFUSALS[event]) from None


def started(
    state: ContainerState, process: MainProcess, now: str, *, keeper: tuple[int, int] = (0, 0)
) -> ContainerState:
    """Return the state once the main process exists; *keeper*: pid and start time."""
    return ContainerState(
        status=next_status(state.status, "start"),
        pid=process.pid,
        pid_start=process.start_time,
        started_at=now,
        finished_at=state.finished_at,
        run_dir=process.run_dir,
        keeper=keeper[0],
        keeper_start=keeper[1],
        restart_count=state.restart_count,
        landlock=process.landlock,
        seccomp=process.seccomp,
    )


def failed(state: ContainerState, exit_code: int, error: str) -> ContainerState:
    """Return the state after a start that made no process."""
    return replace(
        _at_rest(state, next_status(state.status, "fail")), exit_code=exit_code, error=error
    )


def exited(
    state: ContainerState, exit_code: int, now: str, usage: Usage | None = None
) -> ContainerState:
    """Return the state after the main process ended."""
    return replace(
        _at_rest(state, next_status(state.status, "exit")),
        exit_code=exit_code,
        finished_at=now,
        error="",
        usage=usage or state.usage,
    )


def waiting(state: ContainerState, exit_code: int, now: str) -> ContainerState:
    """Return the state between two runs of a container whose supervisor restarts it."""
    return replace(
        state,
        status=next_status(state.status, "wait"),
        pid=state.keeper,
        pid_start=state.keeper_start,
        exit_code=exit_code,
        finished_at=now,
        restart_count=state.restart_count + 1,
    )


def paused(state: ContainerState) -> ContainerState:
    """Return the state after every process stopped."""
    if state.status == "paused":
        raise Conflict("the container is already paused")
    return replace(state, status=next_status(state.status, "pause"))


def unpaused(state: ContainerState) -> ContainerState:
    """Return the state after every process continued."""
    return replace(state, status=next_status(state.status, "unpause"))


def lost(state: ContainerState, now: str) -> ContainerState:
    """Return the state of a container whose main process ended unseen."""
    return replace(
        _at_rest(state, next_status(state.status, "lost")),
        exit_code=LOST_EXIT_CODE,
        finished_at=now,
        error="the supervisor was killed",
    )


def _at_rest(state: ContainerState, status: Status) -> ContainerState:
    return replace(state, status=status, pid=0, pid_start=0, run_dir="", keeper=0, keeper_start=0)


def may_remove(state: ContainerState, *, name: str, force: bool) -> None:
    """Raise `Conflict` (in Docker's words) unless the container may be removed."""
    if state.status == "dead" and not force:
        raise Conflict(f'cannot remove container "{name}": {state.error}: force remove')
    if state.is_running and not force:
        raise Conflict(
            f'cannot remove container "{name}": container is running: '
            "stop the container before removing or force remove"
        )


def exit_code_of(wait_status: int) -> int:
    """Return the exit code of a wait status: 128+n for signal n.

    >>> exit_code_of(3 << 8), exit_code_of(9)
    (3, 137)
    """
    signal_number = wait_status & 0x7F
    return 128 + signal_number if signal_number else (wait_status >> 8) & 0xFF

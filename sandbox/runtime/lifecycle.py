"""The life of a container as a table: created, running, exited.

Rule 1: everything about transitions lives here. Rule 2: this file starts and
stops nothing, reads no clock and no /proc; it is handed what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.errors import Conflict
from sandbox.models.container import ContainerState, Status

Event = Literal["start", "fail", "exit", "lost"]

# (status, event) -> status. What is not here is illegal.
_TRANSITIONS: dict[tuple[Status, Event], Status] = {
    ("created", "start"): "running",
    ("created", "fail"): "created",
    ("exited", "start"): "running",
    ("exited", "fail"): "exited",
    ("running", "exit"): "exited",
    ("running", "lost"): "exited",
}

# What a main process that vanished with its supervisor is taken to have met.
LOST_EXIT_CODE = 137

_REFUSALS: dict[tuple[Status, Event], str] = {
    ("running", "start"): "the container is already running",
    ("running", "fail"): "the container is already running",
    ("created", "exit"): "the container was never started",
    ("created", "lost"): "the container was never started",
    ("exited", "exit"): "the container has already exited",
    ("exited", "lost"): "the container has already exited",
}


@dataclass(frozen=True, slots=True)
class MainProcess:
    """The process whose end is the container's end."""

    pid: int
    start_time: int
    run_dir: str


def next_status(status: Status, event: Event) -> Status:
    """Return the status after *event*, or raise `Conflict`."""
    try:
        return _TRANSITIONS[status, event]
    except KeyError:
        raise Conflict(_REFUSALS[status, event]) from None


def started(state: ContainerState, process: MainProcess, now: str) -> ContainerState:
    """Return the state once the main process exists."""
    return ContainerState(
        status=next_status(state.status, "start"),
        pid=process.pid,
        pid_start=process.start_time,
        started_at=now,
        run_dir=process.run_dir,
    )


def failed(state: ContainerState, exit_code: int, error: str) -> ContainerState:
    """Return the state after a start that never got as far as a process."""
    return ContainerState(
        status=next_status(state.status, "fail"),
        exit_code=exit_code,
        started_at=state.started_at,
        finished_at=state.finished_at,
        error=error,
    )


def exited(state: ContainerState, exit_code: int, now: str) -> ContainerState:
    """Return the state after the main process ended."""
    return ContainerState(
        status=next_status(state.status, "exit"),
        exit_code=exit_code,
        started_at=state.started_at,
        finished_at=now,
    )


def lost(state: ContainerState, now: str) -> ContainerState:
    """Return the state once the main process is gone and nobody saw it end."""
    return ContainerState(
        status=next_status(state.status, "lost"),
        exit_code=LOST_EXIT_CODE,
        started_at=state.started_at,
        finished_at=now,
        error="the supervisor was killed",
    )


def may_remove(state: ContainerState, *, name: str, force: bool) -> None:
    """Raise `Conflict` (in Docker's words) unless the container may be removed."""
    if state.is_running and not force:
        raise Conflict(
            f'cannot remove container "{name}": container is running: '
            "stop the container before removing or force remove"
        )


def exit_code_of(wait_status: int) -> int:
    """Return the exit code people see: 128+n for signal n.

    >>> exit_code_of(3 << 8), exit_code_of(9)
    (3, 137)
    """
    signal_number = wait_status & 0x7F
    return 128 + signal_number if signal_number else (wait_status >> 8) & 0xFF

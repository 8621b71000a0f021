# SPDX-License-Identifier: MIT
"""Processes are held in an order that none of them notices."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from sandbox.native.process_status import status_of
from sandbox.runtime.process import pause
from sandbox.runtime.process.pause import Pace, generations


def test_parents_come_before_their_children() -> None:
    parents = {10: 1, 11: 10, 12: 11, 13: 10, 20: 99}
    rows = generations(parents)
    assert rows == [[10, 20], [11, 13], [12]]
    assert generations({}) == []


def test_a_circle_of_parents_is_one_generation() -> None:
    assert generations({5: 6, 6: 5, 7: 5}) == [[5, 6, 7]]


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], bool]]:
    """Return what is written into the control file that there is not."""
    told: list[tuple[list[int], bool]] = []
    monkeypatch.setattr(
        pause.core, "pace", lambda _path, pids, *, stopped: told.append((pids, stopped))
    )
    monkeypatch.setattr(pause.core, "signal_process", lambda _path, *words: os.kill(*words))
    return told


def state_of(pid: int) -> str:
    found = status_of(pid)
    return found.state if found else ""


def until(pid: int, states: str) -> None:
    deadline = time.monotonic() + 10
    while state_of(pid) not in states:
        assert time.monotonic() < deadline, state_of(pid)
        time.sleep(0.005)


def test_what_is_held_goes_on_once_no_reason_is_left(
    marks: list[tuple[list[int], bool]],
) -> None:
    with subprocess.Popen(["sleep", "100"]) as child:
        pace = Pace("control", lambda: [child.pid])
        try:
            pace.hold("user")
            pace.hold("cpu")
            until(child.pid, "T")
            pace.release("cpu")
            assert state_of(child.pid) == "T"
            pace.release("user")
            until(child.pid, "SR")
        finally:
            child.send_signal(signal.SIGKILL)
    assert marks == [([child.pid], True), ([child.pid], False)]


def test_a_container_that_is_to_end_is_let_go_whatever_the_reasons(
    marks: list[tuple[list[int], bool]],
) -> None:
    with subprocess.Popen(["sleep", "100"]) as child:
        pace = Pace("control", lambda: [child.pid])
        try:
            pace.hold("user")
            until(child.pid, "T")
            pace.free()
            until(child.pid, "SR")
        finally:
            child.send_signal(signal.SIGKILL)
    assert marks[-1] == ([child.pid], False)


def test_a_process_that_is_gone_is_no_error(marks: list[tuple[list[int], bool]]) -> None:
    pace = Pace("control", lambda: [2**22 + 1])
    pace.hold("user")
    pace.release("user")
    assert all(not pids for pids, _ in marks)

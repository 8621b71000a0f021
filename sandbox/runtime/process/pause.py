# SPDX-License-Identifier: MIT
"""Pause all processes of a container, and let them continue.

How it works: by SIGSTOP and SIGCONT, hidden from the guests. Parents stop before their
children and continue after them, so no wait finds a stopped child. A mark in the process
table tells the runtime to hide the continuation of a child
(csrc/calls/task/on_wait.c). A process that a guest stopped stays stopped.

Rules: two reasons can pause a container (a user's pause, a limit of CPU time). It continues
when neither holds.

Does not know: the reasons.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import NativeError
from sandbox.native import core
from sandbox.native.process_status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

_ROUNDS = 100
_PATIENCE = 0.02  # seconds for one generation of processes to stop
_STOPPED = frozenset({"T", "t"})


def generations(parents: Mapping[int, int]) -> list[list[int]]:
    """Return the processes, parents before their children.

    >>> generations({7: 1, 9: 7, 8: 9, 5: 1})
    [[5, 7], [9], [8]]
    """
    left = dict(parents)
    found = []
    while left:
        # Processes in a circle (the kernel reused pids meanwhile) form one generation.
        row = sorted(pid for pid, parent in left.items() if parent not in left) or sorted(left)
        found.append(row)
        for pid in row:
            del left[pid]
    return found


class Pace:
    """Pauses one run of a container."""

    def __init__(self, control: str, processes: Callable[[], list[int]]) -> None:
        """Start with every process running; *control* is the run's control file."""
        self._control = control
        self._processes = processes
        self._reasons: set[str] = set()
        self._held: list[int] = []  # in the order in which they were stopped

    def hold(self, reason: str) -> None:
        """Stop every running process, and those that start meanwhile."""
        self._reasons.add(reason)
        seen = set(self._held)
        for _ in range(_ROUNDS):
            found = {pid: status_of(pid) for pid in self._processes() if pid not in seen}
            if not found:
                return
            seen.update(found)
            moving = {
                pid: item.parent
                for pid, item in found.items()
                if item and item.state not in _STOPPED
            }
            for row in generations(moving):
                self._stop(row)

    def release(self, reason: str) -> None:
        """Let the processes continue, unless another reason holds them."""
        self._reasons.discard(reason)
        if not self._reasons:
            self.free()

    def free(self) -> None:
        """Let the processes continue whatever holds them, because the container must end."""
        self._reasons.clear()
        held, self._held = self._held, []
        self._mark(held, stopped=False)
        self._signal(reversed(held), signal.SIGCONT)

    def _stop(self, pids: list[int]) -> None:
        self._mark(pids, stopped=True)
        self._signal(pids, signal.SIGSTOP)
        self._held += pids
        deadline = time.monotonic() + _PATIENCE
        while any(_moves(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.0002)

    def _mark(self, pids: Collection[int], *, stopped: bool) -> None:
        if pids:
            with suppress(NativeError):  # the container was removed by force
                core.pace(self._control, list(pids), stopped=stopped)

    def _signal(self, pids: Iterable[int], number: int) -> None:
        for pid in pids:
            core.signal_process(self._control, pid, number)


def _moves(pid: int) -> bool:
    found = status_of(pid)
    return found is not None and found.state not in _STOPPED and found.state not in "ZX"

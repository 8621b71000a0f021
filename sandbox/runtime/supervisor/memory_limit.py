# SPDX-License-Identifier: MIT
"""The memory limit without a cgroup: kill a container that exceeds it."""

from __future__ import annotations

import os
import signal

from sandbox.models.record import replace
from sandbox.runtime.limits.usage import resident_bytes
from sandbox.runtime.supervisor.limit_watch import LimitWatch

_MEMORY_PERIOD = 0.04
_LONGEST_PERIOD = 1.0
_GROWTH = 4 << 30  # bytes that one CPU can make resident in a second, at most


def memory_period(room: int, cpus: int) -> float:
    """Return the seconds until the next check: 0.04 more than filling *room* bytes takes.

    >>> memory_period(0, 2), memory_period(1 << 32, 8), memory_period(1 << 40, 2)
    (0.04, 0.165, 1.0)
    """
    return min(_MEMORY_PERIOD + room / (_GROWTH * cpus), _LONGEST_PERIOD)


class MemoryWatch(LimitWatch):
    """Kills a container that uses more than its policy allows."""

    def check(self) -> float:
        """Compare the use with the limit."""
        limit = self._record.container.config.policy.memory
        if not limit or "memory" in self._session.held:
            return 0
        pids = self._session.processes()
        used = resident_bytes(pids, floor=limit)
        if used > limit:
            self._record.tell("oom")
            self._record.change(replace(self._record.container.state, oom_killed=True))
            for pid in pids:
                self._session.kill(pid)
            self._session.main.send(signal.SIGKILL)
            return 0
        return memory_period(limit - used, len(os.sched_getaffinity(0)))

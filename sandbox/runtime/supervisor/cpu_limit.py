# SPDX-License-Identifier: MIT
"""Limit the CPU time of a container by stopping it while it has used too much.

How it works: a token bucket. CPU time is earned at the limit's rate and spent by the
processes and their reaped children, as the kernel counts it. While more was spent than
earned, the container is stopped; so the rate is exact over a second or more, however late a
check comes.

Rules: time that is not spent within a tenth of a second is lost, as with cgroups.

Does not know: how a container is stopped (`pause`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sandbox.runtime.supervisor.limit_watch import LimitWatch

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.runtime.supervisor.container_record import ContainerRecord
    from sandbox.runtime.supervisor.event_loop import Session

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PERIOD = 0.1  # Docker's
_BUSY_LOOK = 0.02
_IDLE_LOOK = 0.05
_IDLEST_LOOK = 0.25
_REASON = "cpu"


class Meter:
    """Adds up the CPU time of a container, including processes that are gone."""

    def __init__(self) -> None:
        """Start at zero."""
        self._last: dict[int, tuple[int, float]] = {}  # pid: whose child, seconds
        self._gone = 0.0

    def spent(self, pids: Collection[int]) -> float:
        """Return the CPU seconds spent since the start.

        The sum of a parent includes its reaped children. For a child whose parent has left
        the container, the last known value is kept.
        """
        found: dict[int, tuple[int, float]] = {}
        for pid in pids:
            seen = _of_process(pid)
            if seen is not None:
                found[pid] = seen
        for pid, (_, seconds) in self._last.items():
            if pid not in found and not self._has_heir(pid, found):
                self._gone += seconds
        self._last = found
        return self._gone + sum(seconds for _, seconds in found.values())

    def _has_heir(self, pid: int, found: Collection[int]) -> bool:
        """Tell whether a living ancestor has reaped the process."""
        for _ in range(len(self._last)):
            pid = self._last[pid][0]
            if pid in found:
                return True
            if pid not in self._last:
                break
        return False


def _of_process(pid: int) -> tuple[int, float] | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) * _TICK


class Bucket:
    """The token bucket: seconds that may still be spent, negative after an excess."""

    def __init__(self, rate: float, moment: float) -> None:
        """Start with the tokens of a tenth of a second."""
        self.rate = rate
        self.left = rate * _PERIOD
        self._moment = moment

    def account(self, moment: float, spent: float) -> float:
        """Earn until *moment*, subtract *spent*; return the seconds to stop, or 0."""
        self.left += (moment - self._moment) * self.rate - spent
        self._moment = moment
        self.left = min(self.left, self.rate * _PERIOD)
        return max(0.0, -self.left / self.rate)


class CpuWatch(LimitWatch):
    """Enforces the limit on one run of a container."""

    def __init__(self, record: ContainerRecord, session: Session) -> None:
        """Check from now on, if there is a limit."""
        self._meter = Meter()
        self._before = 0.0
        self._bucket: Bucket | None = None
        self._idle = _IDLE_LOOK
        self._held = False
        super().__init__(record, session)

    def check(self) -> float:
        """Earn, spend, and stop or continue the container."""
        rate, session = self._record.container.config.policy.cpus, self._session
        if not rate or "cpu" in session.held:
            self._bucket = None
            session.pace.release(_REASON)
            return 0
        total = self._meter.spent(session.processes())
        spent, self._before = max(0.0, total - self._before), max(total, self._before)
        if self._bucket is None:  # time spent without a limit is no debt
            self._bucket, spent = Bucket(rate, time.monotonic()), 0.0
        self._bucket.rate = rate
        wait = self._bucket.account(time.monotonic(), spent)
        if wait:
            session.pace.hold(_REASON)
            self._held = True
            return wait
        session.pace.release(_REASON)
        if spent or self._held:  # a stopped container spends nothing and continues at once
            self._held = False
            self._idle = _IDLE_LOOK
            return _BUSY_LOOK
        # The next check counts what is spent until then.
        self._idle = min(2 * self._idle, _IDLEST_LOOK)
        return self._idle

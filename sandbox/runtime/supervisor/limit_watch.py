# SPDX-License-Identifier: MIT
"""A limit that the supervisor enforces itself because no cgroup does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.runtime.supervisor.container_record import ContainerRecord
    from sandbox.runtime.supervisor.event_loop import Session, Timer


class LimitWatch:
    """Checks one limit of one run of a container periodically."""

    def __init__(self, record: ContainerRecord, session: Session) -> None:
        """Check now."""
        self._record = record
        self._session = session
        self._main = session.main
        self._timer: Timer | None = None
        self.look()

    def look(self) -> None:
        """Check, and set the timer of the next check; also called after a change."""
        if self._timer is not None:
            self._timer.action = None
        if self._session.main is self._main and self._session.run_dir is not None:
            seconds = self.check()
            self._timer = self._session.after(seconds, self.look) if seconds else None

    def check(self) -> float:
        """Enforce the limit; return the seconds until the next check, or 0 for none."""
        raise NotImplementedError

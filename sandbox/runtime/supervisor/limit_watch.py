# SPDX-License-Identifier: MIT
"""A limit that the supervisor watches itself: where no cgroup keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.runtime.supervisor.container_record import ContainerRecord
    from sandbox.runtime.supervisor.event_loop import Session, Timer


class LimitWatch:
    """Looks again and again whether one run of a container keeps a limit."""

    def __init__(self, record: ContainerRecord, session: Session) -> None:
        """Look now."""
        self._record = record
        self._session = session
        self._main = session.main
        self._timer: Timer | None = None
        self.look()

    def look(self) -> None:
        """Look, and decide when to look again; also when the limit was changed."""
        if self._timer is not None:
            self._timer.action = None
        if self._session.main is self._main and self._session.run_dir is not None:
            seconds = self.check()
            self._timer = self._session.after(seconds, self.look) if seconds else None

    def check(self) -> float:
        """Do what is to be done; the seconds until the next look, 0: none."""
        raise NotImplementedError

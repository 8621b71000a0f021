# SPDX-License-Identifier: MIT
"""Start the networks' name server again at once when it was killed.

How it works: the supervisor of every container on a network waits for the end of the server's
process. The first of them starts a new one; the others look a little later whether that is done.

Rules: a server that does not live long is started again after longer and longer rests.

Does not know: what the server does.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.runtime.network import members, membership
from sandbox.runtime.network.names import keeping

if TYPE_CHECKING:
    from sandbox.runtime.supervisor.event_loop import Session
    from sandbox.store.layout import Layout

_LATER = 0.5
_LONG = 10.0  # seconds that a server lives at least if nothing is wrong
_LONGEST_REST = 64.0


class NameServerWatch:
    """Watches the server for one run of a container."""

    def __init__(self, session: Session, layout: Layout) -> None:
        """Watch from now on, if there is a server."""
        self._session = session
        self._layout = layout
        self._directory = members.directory_of(layout)
        self._process: int | None = None
        self._is_over = False
        self._since = 0.0
        self._rest = 0.0
        self.look()

    def look(self) -> None:
        """Watch the server unless that is done; also called after a change."""
        if self._process is not None or self._is_over:
            return
        pid = keeping.running(self._directory)
        if not pid:
            return
        with suppress(OSError):
            self._process = os.pidfd_open(pid)
            self._session.listen(self._process, self._ended)
            self._since = time.monotonic()

    def close(self) -> None:
        """Watch no longer."""
        self._is_over = True
        self._release()

    def _release(self) -> None:
        if self._process is not None:
            self._session.turn_away(self._process)
            os.close(self._process)
            self._process = None

    def _ended(self) -> None:
        self._release()
        if time.monotonic() - self._since > _LONG:
            self._rest = 0.0
        present = members.live_members(self._layout).values()
        first = next((member.pid for member in present if keeping.is_wanted([member])), 0)
        wait = self._rest + (0.0 if first == os.getpid() else _LATER)
        self._rest = min(max(1.0, 2 * self._rest), _LONGEST_REST)
        self._session.after(wait, self._restart)

    def _restart(self) -> None:
        if self._is_over:
            return
        if not keeping.running(self._directory):
            with suppress(SandboxError), membership.changing(self._layout):
                pass
        self.look()

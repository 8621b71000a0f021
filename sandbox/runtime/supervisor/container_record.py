# SPDX-License-Identifier: MIT
"""The record of the supervisor's container: its lock, its state, and its events.

Rules: the supervisor alone writes the container's state while it lives.

Does not know: the container's processes.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, ContainerNotFound, SandboxError
from sandbox.models.record import replace
from sandbox.runtime import lifecycle
from sandbox.runtime.logs.writer import LogFile, stamp
from sandbox.store import events, resource_events
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout
from sandbox.store.volumes import drop_anonymous

if TYPE_CHECKING:
    from sandbox.models.container import ContainerState

_PATIENCE = 5.0  # seconds to wait for a command that only reads the container


def now() -> str:
    """Return the present time as RFC 3339."""
    return stamp(time.time_ns())


class ContainerRecord:
    """One container of a store, and the user's wishes for its supervisor."""

    def __init__(self, root: str, container_id: str) -> None:
        """Take the container's lock; `Conflict` if it runs already."""
        self._layout = Layout(Path(root))
        self._store = ContainerStore(self._layout)
        self.container = self._store.read(container_id)
        self._lock = self._take_lock()
        self.container = self._store.read(container_id)
        lifecycle.next_status(self.container.state.status, "start")
        self.stopped = False
        """Whether the user wants the container to end."""
        self.again = False
        """Whether the user wants it to run again at once."""

    def _take_lock(self) -> int:
        """Lock the container; wait for commands that only read it."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._store.hold(self.container)
            except Conflict:
                state = self._store.read(self.container.config.id).state
                if state.is_running or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    @property
    def is_there(self) -> bool:
        """Tell whether the store still has the container."""
        return self._store.directory(self.container.config.id).config.exists()

    def open_log(self) -> LogFile | None:
        """Open the log that the container's policy configures."""
        policy = self.container.config.policy
        if policy.log_driver != "json-file":
            return None
        path = os.fspath(self._store.directory(self.container.config.id).log)
        return LogFile(path, max_size=policy.log_max_size, max_file=policy.log_max_file)

    def start(self, state: ContainerState) -> None:
        """Write the state of a starting run; raise if it cannot be written."""
        self.container = self._store.write_state(self.container, state)

    def change(self, state: ContainerState) -> None:
        """Write a state, unless the container was removed by force."""
        state = replace(state, stopped=self.stopped)
        with suppress(ContainerNotFound):
            self._store.write_state(self.container, state)
        self.container = self.container.with_state(state)

    def reload(self) -> None:
        """Reload a changed name, networks and policy; keep the state."""
        state = self.container.state
        self.container = self._store.read(self.container.config.id).with_state(state)

    def take_again(self) -> bool:
        """Tell whether the user asked for a restart; each request counts once."""
        again, self.again = self.again, False
        if again:
            self.stopped = False
        return again

    def tell(self, action: str, **more: str) -> None:
        """Append an event about the container."""
        events.tell_container(self._layout, self.container.config, action, **more)

    def tell_resources(self, *, begin: bool) -> None:
        """Append the events of its volumes and networks at the start or the end of a run."""
        tell = resource_events.tell_begin if begin else resource_events.tell_end
        tell(self._layout, self.container.config)

    def remove(self) -> None:
        """Remove the container and its anonymous volumes."""
        with suppress(SandboxError):
            self._store.remove(self.container)
            drop_anonymous(self._layout, self.container.config)
            self.tell("destroy")

    def close(self) -> None:
        """Release the container's lock."""
        os.close(self._lock)

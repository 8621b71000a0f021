# SPDX-License-Identifier: MIT
"""`engine.streams`: connections and readers, for servers with many clients.

Rules: no method waits for the end of a container or for a client. The caller closes the
connections and readers. The other parts relay streams themselves, to their end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.containers.state import ContainerStates
from sandbox.store import events

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from sandbox.models.container import Container
    from sandbox.runtime.logs.reader import Reader, Span
    from sandbox.store.layout import Layout


class Streams:
    """Connections to the containers of one store, and readers of their logs and events."""

    def __init__(self, layout: Layout) -> None:
        """Use the containers of *layout*."""
        self._layout = layout
        self._states = ContainerStates(layout)

    def events(self) -> events.Follower:
        """Return a reader of the events from now on."""
        return events.Follower(self._layout)

    def logs(self, name: str, span: Span) -> Reader:
        """Return a reader of a container's log, past and future lines. Raises `Unsupported`."""
        from sandbox.engine.containers.logs import open_reader

        return open_reader(self._states, name, span)

    def launch(self, container: Container, *, attach: bool, stdin: bool) -> socket.socket:
        """Start a container under a supervisor; return the connection to the supervisor.

        With *attach*, the connection gives the container's output. Raises `Conflict` if the
        container is paused, and what `engine.containers.run` raises.
        """
        from sandbox.engine.containers.start import startable
        from sandbox.engine.containers.supervisor import launch
        from sandbox.runtime.attach import Wishes

        wishes = Wishes(stdin=stdin) if attach else None
        return launch(self._layout, startable(container), wishes)

    def attach(self, container: Container, *, stdin: bool) -> socket.socket:
        """Return a connection that gives the output of a running container. Raises `Conflict`."""
        from sandbox.engine.containers.supervisor import connect

        return connect(container, stdin=stdin)

    def tell_attach(self, container: Container, action: str = "attach") -> None:
        """Append the event that a client attached, or that it detached: *action* is ``detach``."""
        events.tell_container(self._layout, container.config, action)

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Change the size of a running container's terminal; others have none."""
        from sandbox.engine.containers.supervisor import ask

        container = self._states.find(name)
        if container.state.is_running:
            ask(container, {"verb": "resize", "rows": rows, "columns": columns})
            size = {"height": str(rows), "width": str(columns)}
            events.tell_container(self._layout, container.config, "resize", **size)

    def find_active(self, name: str) -> Container:
        """Return a container in which a process can be started. Raises `Conflict`."""
        from sandbox.engine.containers.exec import find_active

        return find_active(self._states, name)

    def tell_exec(self, container: Container, exec_id: str, what: str, args: Sequence[str]) -> None:
        """Append the event that an exec was created or started; *what* is create or start."""
        from sandbox.engine.containers.exec import tell

        tell(self._layout, container, exec_id, what, args)

    def tell_exec_detach(self, container: Container, exec_id: str) -> None:
        """Append the event that a client detached from an exec."""
        from sandbox.engine.containers.exec import tell_detach

        tell_detach(self._layout, container, exec_id)

    def tell_exec_end(self, container: Container, exec_id: str, code: int) -> None:
        """Append the event that an exec has ended."""
        from sandbox.engine.containers.exec import tell_end

        tell_end(self._layout, container, exec_id, code)

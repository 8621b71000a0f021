# SPDX-License-Identifier: MIT
"""`engine.streams`: connections and readers, for a server of many clients.

Rules: nothing here waits for a container's end or for a client; the caller closes what is
returned. The other parts relay streams themselves, until they end.
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
    """The open ends of the containers of one store."""

    def __init__(self, layout: Layout) -> None:
        """Use the containers of *layout*."""
        self._layout = layout
        self._states = ContainerStates(layout)

    def events(self) -> events.Follower:
        """Return a reader of what happens from now on."""
        return events.Follower(self._layout)

    def logs(self, name: str, span: Span) -> Reader:
        """Return a reader of what a container wrote and writes."""
        from sandbox.engine.containers.logs import open_reader

        return open_reader(self._states, name, span)

    def launch(self, container: Container, *, attach: bool, stdin: bool) -> socket.socket:
        """Start a container; the connection gives its output if it is to be *attached*."""
        from sandbox.engine.containers.start import startable
        from sandbox.engine.containers.supervisor import launch
        from sandbox.runtime.attach import Wishes

        wishes = Wishes(stdin=stdin) if attach else None
        return launch(self._layout, startable(container), wishes)

    def attach(self, container: Container, *, stdin: bool) -> socket.socket:
        """Return a connection that gives the output of a container that runs."""
        from sandbox.engine.containers.supervisor import connect

        return connect(container, stdin=stdin)

    def tell_attach(self, container: Container, action: str = "attach") -> None:
        """Append the event that a client attached, or *action*: detached."""
        events.tell_container(self._layout, container.config, action)

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Give a container's terminal another size; a container that ended has none."""
        from sandbox.engine.containers.supervisor import ask

        container = self._states.find(name)
        if container.state.is_running:
            ask(container, {"verb": "resize", "rows": rows, "columns": columns})
            size = {"height": str(rows), "width": str(columns)}
            events.tell_container(self._layout, container.config, "resize", **size)

    def find_active(self, name: str) -> Container:
        """Return a container in which a process can be started, or raise `Conflict`."""
        from sandbox.engine.containers.exec import find_active

        return find_active(self._states, name)

    def tell_exec(self, container: Container, exec_id: str, what: str, args: Sequence[str]) -> None:
        """Append the event that an exec was created or started: *what* is create or start."""
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

# SPDX-License-Identifier: MIT
"""Start supervisors and send requests to them.

How it works: a supervisor (`sandbox.runtime.supervisor.main`) is a process for one container. It
listens on a socket. A container in the foreground of a command has no supervisor.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sandbox.errors import Conflict

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerConfig
    from sandbox.runtime.attach import Wishes
    from sandbox.store.layout import Layout


def ask(container: Container, message: dict[str, Any]) -> bool:
    """Send a request to the supervisor of a container; False if it has none.

    Raises the error that the supervisor answers.
    """
    from sandbox.runtime import attach

    if not container.state.socket:
        return False
    try:
        attach.ask(container.state.socket, message)
    except attach.NobodyThere:
        return False
    return True


def reread(container: Container) -> bool:
    """Have a running container's supervisor read the configuration again; False if none did."""
    return container.state.is_running and ask(container, {"verb": "update"})


def change(
    states: ContainerStates,
    container: Container,
    decide: Callable[[ContainerConfig, frozenset[str]], ContainerConfig],
) -> tuple[Container, bool]:
    """Change a container's configuration; return the container, and the result of `reread`."""
    changed = states.store.change(container, decide)
    return changed, reread(changed)


def launch(layout: Layout, container: Container, wishes: Wishes | None = None) -> socket.socket:
    """Start a supervisor and its container; return the connection to the supervisor.

    With *wishes*, the connection gives the container's output.
    """
    from sandbox.engine.containers.paths import paths_of
    from sandbox.runtime import attach
    from sandbox.runtime.supervisor.spawn import Plan, spawn

    plan = Plan(
        root=os.fspath(layout.root),
        container_id=container.config.id,
        place=paths_of(layout, container.config),
        attach=wishes is not None,
        stdin=wishes is not None and wishes.stdin,
        size=attach.window_size(stdin=True) if wishes and wishes.tty else None,
    )
    ours = spawn(plan)
    try:
        attach.understand(_read_line(ours))
    except BaseException:
        ours.close()
        raise
    return ours


def connect(
    container: Container, *, stdin: bool, size: tuple[int, int] | None = None
) -> socket.socket:
    """Return a connection that gives the output of a running container. Raises `Conflict`."""
    from sandbox.runtime import attach
    from sandbox.runtime.supervisor import protocol

    if not container.state.socket:
        raise Conflict(
            f"cannot attach to {container.config.name}: it runs in the foreground of another "
            "command"
        )
    try:
        connection = protocol.connect(container.state.socket)
    except OSError as exc:
        raise attach.NobodyThere(f"the supervisor does not answer: {exc}") from exc
    try:
        connection.sendall(protocol.line({"verb": "attach", "stdin": stdin, "size": size}))
        attach.understand(protocol.read_line(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _read_line(connection: socket.socket) -> bytes:
    from sandbox.runtime.supervisor import protocol

    try:
        return protocol.read_line(connection)
    except OSError:
        return b""

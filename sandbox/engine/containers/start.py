# SPDX-License-Identifier: MIT
"""``run``, ``start`` and ``attach`` for containers with a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.containers import supervisor
from sandbox.engine.containers.create import create_ours
from sandbox.errors import Conflict, SandboxError
from sandbox.models.record import replace
from sandbox.store import events

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sandbox.engine.containers.config import CreateRequest
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container
    from sandbox.runtime.attach import Wishes


def run_detached(
    states: ContainerStates, request: CreateRequest, on_create: Callable[[Container], object]
) -> Container:
    """Create a container and start it under a supervisor."""
    container = create_ours(states, request)
    try:
        on_create(container)
        supervisor.launch(states.layout, container).close()
    except SandboxError:
        _drop(states, container)
        raise
    return container


def run_attached(
    states: ContainerStates,
    request: CreateRequest,
    wishes: Wishes,
    on_create: Callable[[Container], object],
) -> int | None:
    """Create and start a container and stay attached; None if the user detached."""
    container = create_ours(states, request)
    try:
        on_create(container)
        events.tell_container(states.layout, container.config, "attach")
        connection = supervisor.launch(states.layout, container, wishes)
    except SandboxError:
        _drop(states, container)
        raise
    with connection:
        return _stay(states, container, connection, wishes)


def start(states: ContainerStates, name: str, wishes: Wishes | None) -> int | None:
    """Start a container; with *wishes*, stay attached until it ends."""
    container = startable(states.find(name))
    if container.state.is_running:
        return attach(states, name, wishes) if wishes else None
    if wishes:
        events.tell_container(states.layout, container.config, "attach")
    with supervisor.launch(states.layout, container, wishes) as connection:
        return _stay(states, container, connection, wishes) if wishes else None


def startable(container: Container) -> Container:
    """Return the container. Raises `Conflict` if it is paused."""
    if container.state.status == "paused":
        raise Conflict("cannot start a paused container, try unpause instead")
    return container


def attach(states: ContainerStates, name: str, wishes: Wishes) -> int | None:
    """Attach to a running container; None if the user detached."""
    from sandbox.runtime.attach import window_size

    container = states.find(name)
    if not container.state.is_running:
        raise Conflict("you cannot attach to a stopped container, start it first")
    if container.state.status == "paused":
        raise Conflict("you cannot attach to a paused container, unpause it first")
    tty = container.config.tty
    wishes = replace(wishes, stdin=wishes.stdin and container.config.open_stdin, tty=tty)
    size = window_size(stdin=True) if tty else None
    with supervisor.connect(container, stdin=wishes.stdin, size=size) as connection:
        events.tell_container(states.layout, container.config, "attach")
        return _stay(states, container, connection, wishes)


def _stay(
    states: ContainerStates, container: Container, connection: socket.socket, wishes: Wishes
) -> int | None:
    from sandbox.runtime import attach

    code = attach.stay(connection, wishes)
    if code is None:
        events.tell_container(states.layout, container.config, "detach")
    return code


def _drop(states: ContainerStates, container: Container) -> None:
    if container.config.auto_remove:
        states.forget(container)

# SPDX-License-Identifier: MIT
"""``run`` in the foreground: this process supervises the container until it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine.containers.create import create_ours
from sandbox.engine.containers.paths import paths_of
from sandbox.errors import ContainerNotFound, SandboxError
from sandbox.models.timestamps import now
from sandbox.runtime import launch, lifecycle
from sandbox.store import events, resource_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.engine.containers.config import CreateRequest
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerState
    from sandbox.runtime.process.start import Attachment


def run(
    states: ContainerStates,
    request: CreateRequest,
    attachment: Attachment,
    on_create: Callable[[Container], object],
) -> int:
    """Create a container, run it to its end, and return its exit code."""
    container = create_ours(states, request)
    try:
        on_create(container)
        return _run(states, container, attachment)
    finally:
        states.forget_if_wanted(container)


def start_in_foreground(states: ContainerStates, name: str, attachment: Attachment) -> int:
    """Run an existing container to its end and return its exit code."""
    container = states.find(name)
    try:
        return _run(states, container, attachment)
    finally:
        states.forget_if_wanted(container)


def _run(states: ContainerStates, container: Container, attachment: Attachment) -> int:
    layout, store = states.layout, states.store
    held = store.hold(container)
    current = container
    try:
        place = paths_of(layout, container.config)

        def on_start(process: lifecycle.MainProcess) -> None:
            nonlocal current
            state = lifecycle.started(current.state, process, now())
            current = store.write_state(current, state)
            resource_events.tell_begin(layout, container.config)
            events.tell_container(layout, container.config, "start")

        code = launch.run(container.config, place, attachment, on_start=on_start)
        events.tell_container(layout, container.config, "die", exitCode=str(code))
        resource_events.tell_end(layout, container.config)
        _record(states, current, lifecycle.exited(current.state, code, now()))
        return code
    except SandboxError as exc:
        state = current.state
        if state.is_running:
            state = lifecycle.exited(state, exc.exit_code, now())
        else:
            state = lifecycle.failed(state, exc.exit_code, exc.message)
        _record(states, current, state)
        raise
    finally:
        os.close(held)


def _record(states: ContainerStates, container: Container, state: ContainerState) -> None:
    try:
        states.store.write_state(container, state)
    except ContainerNotFound:
        return  # it was removed by force

# SPDX-License-Identifier: MIT
"""``exec``: one more process in a running container, and its events."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, Detached
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container
    from sandbox.runtime.exec.exec_process import ExecRequest
    from sandbox.store.layout import Layout


def execute(
    states: ContainerStates,
    name: str,
    request: ExecRequest,
    *,
    detach: bool,
    keys: bytes,
    warn: Callable[[str], object],
) -> int:
    """Run a process in a container and return its exit code."""
    from sandbox.engine.containers.limits import APART
    from sandbox.runtime.exec import exec_process
    from sandbox.runtime.limits import cgroups

    container = find_active(states, name)
    state, layout = container.state, states.layout
    if cgroups.is_out_of_reach(state.run_dir):
        warn(APART)
    identity = os.urandom(32).hex()
    for what in ("create", "start"):
        tell(layout, container, identity, what, request.args)

    def ended(code: int) -> None:
        tell_end(layout, container, identity, code)

    if detach:
        exec_process.leave(container.config, state.run_dir, request, ended)
        return 0
    try:
        return exec_process.run(container.config, state.run_dir, request, keys=keys, on_end=ended)
    except Detached:
        tell_detach(layout, container, identity)
        raise


def find_active(states: ContainerStates, name: str) -> Container:
    """Return a container in which a process can be started. Raises `Conflict`."""
    container = states.find(name)
    status = container.state.status
    if status == "paused":
        raise Conflict(
            f"container {container.config.name} is paused, unpause the container before exec"
        )
    if status != "running":
        raise Conflict(f"container {container.config.id} is not running")
    return container


def tell(
    layout: Layout, container: Container, exec_id: str, what: str, args: Sequence[str]
) -> None:
    """Append the event that an exec was created or started; *what* is create or start."""
    action = f"exec_{what}: {' '.join(args)}"
    events.tell_container(layout, container.config, action, execID=exec_id)


def tell_detach(layout: Layout, container: Container, exec_id: str) -> None:
    """Append the event that the user detached from an exec."""
    events.tell_container(layout, container.config, "exec_detach", execID=exec_id)


def tell_end(layout: Layout, container: Container, exec_id: str, code: int) -> None:
    """Append the event that an exec has ended."""
    events.tell_container(layout, container.config, "exec_die", execID=exec_id, exitCode=str(code))

# SPDX-License-Identifier: MIT
"""``rm``, also for a container whose records are damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.containers import recover
from sandbox.engine.containers.stop import kill_everything
from sandbox.runtime import lifecycle
from sandbox.store import events

if TYPE_CHECKING:
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container


def remove(states: ContainerStates, name: str, *, force: bool, volumes: bool) -> Container:
    """Delete a container; with *force*, kill it first."""
    container = states.find(name)
    lifecycle.may_remove(container.state, name=name, force=force)
    if container.state.status == "dead":
        _end_unknown(states, container.config.id)
    elif container.state.is_running:
        kill_everything(container)
    states.forget(container, volumes=volumes)
    events.tell_container(states.layout, container.config, "destroy")
    return container


def remove_damaged(states: ContainerStates, name: str) -> str | None:
    """Delete a container whose configuration is damaged; None unless the id is unique."""
    found = [
        identity for identity, _ in states.store.damaged() if name and identity.startswith(name)
    ]
    if len(found) != 1:
        return None
    _end_unknown(states, found[0])
    states.store.discard_damaged(found[0])
    return found[0]


def _end_unknown(states: ContainerStates, identity: str) -> None:
    recover.end_holder(states.store.directory(identity).config)
    recover.end_processes(identity)

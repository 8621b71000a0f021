# SPDX-License-Identifier: MIT
"""``container prune``: remove the containers that do not run."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from sandbox.engine.pruned import Pruned
from sandbox.errors import Conflict, ContainerNotFound
from sandbox.models.filters import prune_filter
from sandbox.store import events
from sandbox.store.disk_usage import disk_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerState
    from sandbox.store.containers import ContainerStore

# Seconds to wait for the supervisor of a stopped container to end.
_DEPARTURE = 1.0


def prune(states: ContainerStates, filters: Sequence[str]) -> Pruned:
    """Remove containers that do not run."""
    matches = prune_filter(filters)
    store = states.store
    pruned = Pruned()
    for container in states.all():
        if _is_in_use(container.state) or not matches(container):
            continue
        if not _is_released(store, container):
            continue
        with suppress(Conflict, ContainerNotFound, FileNotFoundError), ExitStack() as stack:
            stack.callback(os.close, store.hold(container))
            if _is_in_use(store.read(container.config.id).state):
                continue
            size = disk_usage([store.directory(container.config.id).path])
            store.remove(container)
            pruned.freed += size
            pruned.containers.append(container.config.id)
    events.tell_prune(states.layout, "container", pruned.freed)
    return pruned


def _is_released(store: ContainerStore, container: Container) -> bool:
    """Tell whether no process holds the container; wait a moment for its supervisor to end."""
    deadline = time.monotonic() + _DEPARTURE
    while store.is_held(container):
        if container.state.status != "exited" or time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_in_use(state: ContainerState) -> bool:
    """Tell whether a container runs, or its creator is about to start it."""
    from sandbox.runtime.process.reaper import start_time_of

    return state.is_running or bool(state.pid and start_time_of(state.pid) == state.pid_start)

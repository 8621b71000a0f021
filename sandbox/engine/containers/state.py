# SPDX-License-Identifier: MIT
"""Containers in their true state.

How it works: the supervisor writes a container's state into a file. A supervisor that is killed
writes nothing. So every reader checks that the processes in the file are alive; if not, it cleans
up after them and writes the true state.

Must not know: what is done with a container.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, ContainerNotFound, SandboxError
from sandbox.models.container import ContainerState
from sandbox.models.timestamps import now
from sandbox.runtime import lifecycle
from sandbox.runtime.process import reaper
from sandbox.runtime.process.kill import kill_guests
from sandbox.store import events, resource_events
from sandbox.store.containers import ContainerStore

if TYPE_CHECKING:
    from sandbox.models.container import Container
    from sandbox.store.layout import Layout

# Seconds in which a live supervisor records the end of its container.
_WRITTEN_WITHIN = 1.0
_POLL = 0.005


class ContainerStates:
    """The containers of one store, each in its true state."""

    def __init__(self, layout: Layout) -> None:
        """Use the containers of *layout*."""
        self.layout = layout
        self.store = ContainerStore(layout)

    def all(self) -> list[Container]:
        """Return every container, newest first."""
        found = [self._truth(item) for item in self.store.all()]
        present = [item for item in found if item is not None]
        return sorted(present, key=lambda item: item.config.created, reverse=True)

    def find(self, name: str) -> Container:
        """Return the container of this name, id or start of an id. Raises `ContainerNotFound`."""
        container = self._truth(self.store.find(name))
        if container is None:
            raise ContainerNotFound(f"no such container: {name}")
        return container

    def forget(self, container: Container, *, volumes: bool = True) -> None:
        """Delete a container; with *volumes*, also the anonymous volumes that only it mounts."""
        self.store.remove(container)
        if volumes and any(mount.type == "volume" for mount in container.config.mounts):
            from sandbox.store.volumes import drop_anonymous

            drop_anonymous(self.layout, container.config)

    def forget_if_wanted(self, container: Container) -> None:
        """Delete a stopped container that was made with ``--rm``."""
        if container.config.auto_remove:
            self.forget(container)
            events.tell_container(self.layout, container.config, "destroy")

    def _truth(self, container: Container) -> Container | None:
        """Return the container in its true state; None if it was removed, or should have been."""
        state = container.state
        if state.status == "dead":
            from sandbox.engine.containers.recover import recover

            found = recover(self.store, container)
            return found if found is None or found.state.status == "dead" else self._truth(found)
        if not state.pid or (
            is_alive(state.pid, state.pid_start)
            and (not state.keeper or is_alive(state.keeper, state.keeper_start))
        ):
            return container
        deadline = time.monotonic() + _WRITTEN_WITHIN
        try:
            while (written := self.store.read(container.config.id)).state == state:
                try:
                    # With the lock, no other process can start the container meanwhile.
                    held = self.store.hold(container)
                except Conflict:
                    # The container has just ended; the owner of the lock is about to record it.
                    if time.monotonic() > deadline:
                        return container
                    time.sleep(_POLL)
                    continue
                try:
                    if self.store.read(container.config.id).state == state:
                        return self._found_dead(container)
                finally:
                    os.close(held)
            return self._truth(written)
        except ContainerNotFound:
            return None

    def _found_dead(self, container: Container) -> Container | None:
        state = container.state
        clean_up(container)
        if state.is_running:
            lost = str(lifecycle.lost(state, now()).exit_code)
            events.tell_container(self.layout, container.config, "die", exitCode=lost)
            resource_events.tell_end(self.layout, container.config)
        if container.config.auto_remove:
            self.forget_if_wanted(container)
            return None
        true = lifecycle.lost(state, now()) if state.is_running else ContainerState()
        return self.store.write_state(container, true)


def is_alive(pid: int, start_time: int) -> bool:
    """Tell whether *pid* is still the process that started at *start_time*."""
    return pid > 0 and reaper.start_time_of(pid) == start_time


def clean_up(container: Container) -> None:
    """Kill the processes and delete the files that a killed supervisor left behind."""
    from sandbox.runtime import ipc, rundir
    from sandbox.runtime.rundir import RunDir

    places = {place.path for place in rundir.remains(container.config.id, os.environ)}
    if container.state.run_dir:
        places.add(container.state.run_dir)
    for path in places:
        kill_guests(path)
        _keep_owners(container, RunDir(path).control)
        rundir.remove(path)
        rundir.remove(RunDir(path).socket)
        ipc.sweep(os.path.dirname(path))


def _keep_owners(container: Container, control: str) -> None:
    from sandbox.runtime import launch

    owned = [mount for mount in container.config.mounts if mount.type == "volume"]
    if owned and os.path.exists(control):
        with suppress(SandboxError):
            launch.keep_owners(control, owned)

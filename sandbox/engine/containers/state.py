# SPDX-License-Identifier: MIT
"""Containers in their true state.

How it works: a container's file says what its supervisor wrote last. A supervisor or a
main process that was killed wrote nothing, so whoever reads the file next compares it with
the processes that live, clears up and writes the state that is true.

Does not know: what is done with a container.
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

# Seconds in which a supervisor that lives writes down that its container ended.
_WRITTEN_WITHIN = 1.0
_POLL = 0.005


class ContainerStates:
    """The containers of one store, each in its true state."""

    def __init__(self, layout: Layout) -> None:
        """Read the containers of *layout*."""
        self.layout = layout
        self.store = ContainerStore(layout)

    def all(self) -> list[Container]:
        """Return every container, newest first."""
        found = [self._truth(item) for item in self.store.all()]
        present = [item for item in found if item is not None]
        return sorted(present, key=lambda item: item.config.created, reverse=True)

    def find(self, name: str) -> Container:
        """Return the container of this name, id or start of an id."""
        container = self._truth(self.store.find(name))
        if container is None:
            raise ContainerNotFound(f"no such container: {name}")
        return container

    def forget(self, container: Container, *, volumes: bool = True) -> None:
        """Delete a container, with the anonymous volumes that only it has."""
        self.store.remove(container)
        if volumes and any(mount.type == "volume" for mount in container.config.mounts):
            from sandbox.store.volumes import drop_anonymous

            drop_anonymous(self.layout, container.config)

    def forget_if_wanted(self, container: Container) -> None:
        """Delete a container that has ended if it was made with ``--rm``."""
        if container.config.auto_remove:
            self.forget(container)
            events.tell_container(self.layout, container.config, "destroy")

    def _truth(self, container: Container) -> Container | None:
        """Return the container as it is; None if it should be gone by now."""
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
                    # The lock keeps others from starting the container meanwhile.
                    held = self.store.hold(container)
                except Conflict:
                    # The container has just ended, and the lock's owner is about to write that.
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
    """End and delete what a killed supervisor has left behind."""
    from sandbox.runtime import rundir
    from sandbox.runtime.rundir import RunDir

    places = {place.path for place in rundir.remains(container.config.id, os.environ)}
    if container.state.run_dir:
        places.add(container.state.run_dir)
    for path in places:
        kill_guests(path)
        _keep_owners(container, RunDir(path).control)
        rundir.remove(path)
        rundir.remove(RunDir(path).socket)


def _keep_owners(container: Container, control: str) -> None:
    from sandbox.runtime import launch

    owned = [mount for mount in container.config.mounts if mount.type == "volume"]
    if owned and os.path.exists(control):
        with suppress(SandboxError):
            launch.keep_owners(control, owned)

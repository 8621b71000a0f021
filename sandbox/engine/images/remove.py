# SPDX-License-Identifier: MIT
"""What takes room in the store, and how to get it back: one method a verb.

Does not know: how results are shown, or whether the user was asked.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.engine.images import tell_removal
from sandbox.engine.measuring import Usage, measure
from sandbox.errors import Conflict, ContainerNotFound, ImageNotFound
from sandbox.models.filters import prune_filter
from sandbox.models.image_filters import parse_filters, select_images
from sandbox.store import events
from sandbox.store.containers import ContainerStore
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox.engine.containers import ContainerVerbs
    from sandbox.models.container import Container, ContainerState
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.garbage_collection import Swept
    from sandbox.store.layout import Layout

    _Base = ContainerVerbs
else:
    _Base = object

_DEPARTURE = 1.0


@dataclass
class Pruned:
    """What was removed, and the bytes on disk that gave."""

    untagged: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    freed: int = 0


class HousekeepingVerbs(_Base):
    """The part of `Engine` that looks after the store."""

    def disk_usage(self) -> Usage:
        """Measure the whole store."""
        return measure(self.layout, self.containers())

    def prune_images(
        self, *, everything: bool = False, filters: Sequence[str] = (), blobs: bool = False
    ) -> Pruned:
        """Remove images without a name, or all that no container uses; and what was left in hand.

        With *blobs*, only the layers' compressed blobs that a registry has.
        """
        from sandbox.store.garbage_collection import drop_blobs, drop_leftovers

        pruned = Pruned()
        if blobs:
            _note(pruned, drop_blobs(self.layout))
            return pruned
        before = self._room()
        store = ImageStore(self.layout)
        wanted = parse_filters(filters)
        if wanted.pop("dangling", ["true"])[-1] in ("false", "0"):
            everything = True
        chosen = select_images(store.all(), wanted, find=store.find)
        for image in chosen:
            if everything or not image.repo_tags:
                self._prune_image(image, pruned)
        pruned.freed = max(0, before - self._room()) if pruned.deleted else 0
        _note(pruned, drop_leftovers(self.layout))
        events.tell_prune(self.layout, "image", pruned.freed)
        return pruned

    def prune_system(self, *, everything: bool = False, filters: Sequence[str] = ()) -> Pruned:
        """Remove stopped containers, unused images, and what nobody needs."""
        from sandbox.store.garbage_collection import sweep

        parse_filters(filters)  # before anything is removed
        pruned = Pruned()
        pruned.containers, freed = self.prune_containers(filters)
        images = self.prune_images(everything=everything, filters=filters)
        pruned.untagged, pruned.deleted = images.untagged, images.deleted
        pruned.freed = freed + images.freed
        _note(pruned, sweep(self.layout))
        return pruned

    def prune_containers(self, filters: Sequence[str] = ()) -> tuple[list[str], int]:
        """Remove containers that do not run; returns their ids and the bytes freed."""
        matches = prune_filter(filters)
        from sandbox.store.disk_usage import disk_usage

        store = ContainerStore(self.layout)
        removed, freed = [], 0
        for container in self.containers():
            if is_in_hand(container.state) or not matches(container):
                continue
            if not _is_released(store, container):
                continue
            with suppress(Conflict, ContainerNotFound, FileNotFoundError), ExitStack() as stack:
                stack.callback(os.close, store.hold(container))
                if is_in_hand(store.read(container.config.id).state):
                    continue
                size = disk_usage([store.directory(container.config.id).path])
                store.remove(container)
                freed += size
                removed.append(container.config.id)
        events.tell_prune(self.layout, "container", freed)
        return removed, freed

    def _room(self) -> int:
        from sandbox.store.disk_usage import disk_usage

        return disk_usage(_image_places(self.layout))

    def _prune_image(self, image: Image, pruned: Pruned) -> None:
        used = {container.config.image_id for container in ContainerStore(self.layout).all()}
        if image.id in used:
            return
        try:
            removal = ImageStore(self.layout).remove_unused(image.id, self._is_used)
        except (Conflict, ImageNotFound):
            return
        tell_removal(self.layout, image, removal)
        pruned.untagged += removal.untagged
        pruned.deleted += map(str, removal.deleted)

    def _is_used(self, image_id: Digest) -> bool:
        every = ContainerStore(self.layout).all()
        return any(container.config.image_id == image_id for container in every)


def _is_released(store: ContainerStore, container: Container) -> bool:
    """Tell whether nobody has the container; a supervisor that departs gets a moment."""
    deadline = time.monotonic() + _DEPARTURE
    while store.is_held(container):
        if container.state.status != "exited" or time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _note(pruned: Pruned, swept: Swept) -> None:
    pruned.deleted += swept.names
    pruned.freed += swept.freed


def _image_places(layout: Layout) -> list[Path]:
    return [layout.layers, layout.blobs, layout.indexes, layout.images]


def is_in_hand(state: ContainerState) -> bool:
    """Tell whether a container runs, or whoever made it is about to start it."""
    from sandbox.runtime.process.reaper import start_time_of

    return state.is_running or bool(state.pid and start_time_of(state.pid) == state.pid_start)

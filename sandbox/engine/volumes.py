# SPDX-License-Identifier: MIT
"""`engine.volumes`: create, look at and remove volumes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.containers.state import ContainerStates
from sandbox.engine.pruned import Pruned
from sandbox.errors import Conflict, NotFound
from sandbox.models.filters import volume_filter
from sandbox.models.timestamps import now
from sandbox.store import events
from sandbox.store.disk_usage import disk_usage
from sandbox.store.lock import store_lock
from sandbox.store.volumes import VolumeStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.models.container import Container
    from sandbox.models.volume import Volume
    from sandbox.store.layout import Layout


class Volumes:
    """The volumes of one store."""

    def __init__(self, layout: Layout) -> None:
        """Use the volumes and containers of *layout*."""
        self._layout = layout
        self._store = VolumeStore(layout)
        self._containers = ContainerStates(layout)

    def create(self, name: str = "", labels: Mapping[str, str] | None = None) -> Volume:
        """Return the volume of this name; make it if it does not exist.

        Without a name, make an anonymous volume. Its name is 64 hexadecimal digits.
        """
        wanted = name or os.urandom(32).hex()
        self._layout.prepare()
        with store_lock(self._layout):
            return self._store.ensure(wanted, now(), anonymous=not name, labels=dict(labels or {}))

    def get(self, name: str) -> Volume:
        """Return the volume of this name. Raises `NotFound`."""
        return self._store.find(name)

    def inspect(self, name: str) -> dict[str, Any]:
        """Return the JSON of ``docker volume inspect``. Raises `NotFound`."""
        return describe_volume(self.get(name))

    def users(self, name: str) -> list[Container]:
        """Return the containers that mount the volume."""
        return [
            item
            for item in self._containers.all()
            if any(mount.type == "volume" and mount.name == name for mount in item.config.mounts)
        ]

    def remove(self, name: str, *, force: bool = False) -> None:
        """Delete a volume.

        Raises `Conflict` if a container mounts it, and `NotFound` unless *force* is set.
        """
        try:
            volume = self._store.find(name)
        except NotFound:
            if force:
                return
            raise
        users = self.users(name)
        if users:
            ids = ", ".join(item.config.id for item in users)
            raise Conflict(f"remove {name}: volume is in use - [{ids}]")
        self._store.remove(volume)
        events.tell(self._layout, "volume", "destroy", name, driver="local")

    def prune(self, *, everything: bool = False, filters: Sequence[str] = ()) -> Pruned:
        """Delete the anonymous volumes that no container mounts; with *everything* also named ones.

        *filters* are those of ``volume prune --filter``.
        """
        mounts = [mount for item in self._containers.all() for mount in item.config.mounts]
        used = {mount.name for mount in mounts if mount.type == "volume"}
        matches = volume_filter(filters, used.__contains__)
        pruned = Pruned()
        for volume in self._store.all():
            wanted = (everything or volume.anonymous) and volume.name not in used
            if wanted and matches(volume):
                size = disk_usage([Path(volume.path)])
                with suppress(Conflict, NotFound):  # in use since, or gone
                    self.remove(volume.name)
                    pruned.volumes.append(volume.name)
                    pruned.freed += size
        events.tell_prune(self._layout, "volume", pruned.freed)
        return pruned

    def list(self, filters: Sequence[str] = ()) -> list[Volume]:
        """Return the volumes that pass the filters, by name.

        *filters* are those of ``volume ls --filter``, as in ``dangling=true``.
        """
        matches = volume_filter(filters, lambda name: bool(self.users(name)))
        return [item for item in self._store.all() if matches(item)]


def describe_volume(volume: Volume) -> dict[str, Any]:
    """Return the volume's inspect object."""
    own = {"com.docker.volume.anonymous": ""} if volume.anonymous else {}
    return {
        "CreatedAt": volume.created,
        "Driver": "local",
        "Labels": {**own, **volume.labels} or None,
        "Mountpoint": volume.data,
        "Name": volume.name,
        "Options": None,
        "Scope": "local",
    }

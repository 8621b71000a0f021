# SPDX-License-Identifier: MIT
"""What can be done with volumes: one method a verb."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.engine.creation import now
from sandbox.errors import Conflict, NotFound
from sandbox.store import events
from sandbox.store.disk_usage import disk_usage
from sandbox.store.lock import store_lock
from sandbox.store.volumes import VolumeStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.engine.containers import ContainerVerbs
    from sandbox.models.container import Container
    from sandbox.models.volume import Volume

    _Base = ContainerVerbs
else:
    _Base = object


class VolumeVerbs(_Base):
    """The part of `Engine` that is about volumes."""

    def create_volume(self, name: str, labels: dict[str, str]) -> Volume:
        """Make a volume; an empty name makes an anonymous one."""
        store = VolumeStore(self.layout)
        wanted = name or os.urandom(32).hex()
        self.layout.prepare()
        with store_lock(self.layout):
            return store.ensure(wanted, now(), anonymous=not name, labels=labels)

    def volumes(self) -> list[Volume]:
        """Return every volume, by name."""
        return list(VolumeStore(self.layout).all())

    def volume(self, name: str) -> Volume:
        """Return the volume of this name."""
        return VolumeStore(self.layout).find(name)

    def volume_users(self, name: str) -> list[Container]:
        """Return the containers that have the volume."""
        return [
            item
            for item in self.containers()
            if any(mount.type == "volume" and mount.name == name for mount in item.config.mounts)
        ]

    def remove_volume(self, name: str, *, force: bool = False) -> None:
        """Delete a volume that no container has; missing is fine with *force*."""
        store = VolumeStore(self.layout)
        try:
            volume = store.find(name)
        except NotFound:
            if force:
                return
            raise
        users = self.volume_users(name)
        if users:
            ids = ", ".join(item.config.id for item in users)
            raise Conflict(f"remove {name}: volume is in use - [{ids}]")
        store.remove(volume)
        events.tell(self.layout, "volume", "destroy", name, driver="local")

    def prune_volumes(
        self, *, everything: bool = False, filters: Sequence[str] = ()
    ) -> tuple[list[str], int]:
        """Delete anonymous volumes that no container has; *everything*: named ones too.

        Returns their names, and the bytes on disk that gave.
        """
        from sandbox.models.filters import volume_filter

        mounts = [mount for item in self.containers() for mount in item.config.mounts]
        used = {mount.name for mount in mounts if mount.type == "volume"}
        matches = volume_filter(filters, used.__contains__)
        removed, freed = [], 0
        for volume in self.volumes():
            wanted = (everything or volume.anonymous) and volume.name not in used
            if wanted and matches(volume):
                size = disk_usage([Path(volume.path)])
                with suppress(Conflict, NotFound):  # a new container has it, or it is gone
                    self.remove_volume(volume.name)
                    removed.append(volume.name)
                    freed += size
        events.tell_prune(self.layout, "volume", freed)
        return removed, freed

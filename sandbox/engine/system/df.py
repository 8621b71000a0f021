# SPDX-License-Identifier: MIT
"""``system df``: the disk usage of the store by kind of object, each byte counted once.

Must not know: how results are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.store import build_cache, removed_trees
from sandbox.store.disk_usage import disk_usage
from sandbox.store.images import ImageStore
from sandbox.store.volumes import VolumeStore

if TYPE_CHECKING:
    from sandbox.models.container import Container
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.models.volume import Volume
    from sandbox.store.build_cache import Cached
    from sandbox.store.layout import Layout


@dataclass(frozen=True)
class ImageUsage:
    """The bytes of one image on disk, and the number of containers that use it."""

    image: Image
    shared: int
    unique: int
    containers: int


@dataclass(frozen=True)
class ContainerUsage:
    """The bytes of one container's own files on disk."""

    container: Container
    size: int


@dataclass(frozen=True)
class VolumeUsage:
    """The bytes of one volume, and the number of containers that mount it."""

    volume: Volume
    size: int
    links: int


@dataclass(frozen=True)
class BuildUsage:
    """The bytes of one entry of the build cache; a *shared* entry also belongs to an image."""

    item: Cached
    size: int
    shared: bool


@dataclass(frozen=True)
class Usage:
    """The store by kind of object; the parts add up to the whole store."""

    images: list[ImageUsage]
    containers: list[ContainerUsage]
    volumes: list[VolumeUsage]
    builds: list[BuildUsage]
    images_size: int
    images_reclaimable: int
    containers_size: int
    containers_reclaimable: int
    volumes_size: int
    volumes_reclaimable: int
    builds_size: int
    other_size: int
    other_reclaimable: int
    removed_size: int
    """The bytes of removed trees that are not deleted yet; part of the other files."""

    @property
    def total(self) -> int:
        """All bytes on disk."""
        parts = (self.images_size, self.containers_size, self.volumes_size, self.builds_size)
        return sum(parts) + self.other_size


def measure(layout: Layout, containers: list[Container]) -> Usage:
    """Measure the whole store."""
    return _Measure(layout, containers).run()


class _Measure:
    """One measurement: files that were counted are not counted again."""

    def __init__(self, layout: Layout, containers: list[Container]) -> None:
        self._layout = layout
        self._containers = containers
        self._seen: set[tuple[int, int]] = set()
        self._shared = 0

    def run(self) -> Usage:
        """Measure the whole store."""
        layout = self._layout
        removed = disk_usage(removed_trees.waiting(layout))
        other_reclaimable = disk_usage([layout.downloads]) + removed  # a prune removes them
        images, reclaimable = self._images()
        containers = [
            ContainerUsage(item, self._count([layout.container(item.config.id)]))
            for item in self._containers
        ]
        all_images = sum(item.unique for item in images) + self._shared
        places = [layout.blobs, layout.indexes, layout.images, layout.blobs.parent, layout.tags]
        all_images += self._count(places)
        all_containers = sum(item.size for item in containers) + self._count([layout.containers])
        volumes = self._volumes()
        all_volumes = sum(item.size for item in volumes) + self._count([layout.root / "volumes"])
        builds = self._builds()
        all_builds = sum(item.size for item in builds if not item.shared)
        all_builds += self._count([layout.build_steps, layout.build_mounts])
        return Usage(
            images=images,
            containers=containers,
            volumes=volumes,
            builds=builds,
            images_size=all_images,
            images_reclaimable=reclaimable,
            containers_size=all_containers,
            containers_reclaimable=sum(
                item.size for item in containers if not item.container.state.is_running
            ),
            volumes_size=all_volumes,
            volumes_reclaimable=sum(item.size for item in volumes if not item.links),
            builds_size=all_builds,
            other_size=self._count([layout.root]),
            other_reclaimable=other_reclaimable,
            removed_size=removed,
        )

    def _count(self, paths: list[Path]) -> int:
        return disk_usage(paths, self._seen)

    def _images(self) -> tuple[list[ImageUsage], int]:
        store = ImageStore(self._layout)
        every = store.all()
        sizes: dict[Path, int] = {}
        users: dict[Path, set[Digest]] = {}
        for image in every:
            if self._layout.home(image.id) is not self._layout:
                continue
            for path in store.paths_of(image):
                if path not in sizes:
                    sizes[path] = self._count([path])
                users.setdefault(path, set()).add(image.id)
        self._shared = sum(size for path, size in sizes.items() if len(users[path]) > 1)
        active = {container.config.image_id for container in self._containers}
        found = []
        for image in every:
            paths = store.paths_of(image) & sizes.keys()
            unique = sum(sizes[path] for path in paths if len(users[path]) == 1)
            shared = sum(sizes[path] for path in paths) - unique
            count = sum(item.config.image_id == image.id for item in self._containers)
            found.append(ImageUsage(image, shared, unique, count))
        reclaimable = sum(size for path, size in sizes.items() if not users[path] & active)
        return found, reclaimable

    def _volumes(self) -> list[VolumeUsage]:
        return [
            VolumeUsage(
                volume,
                self._count([Path(volume.path)]),
                sum(
                    any(m.type == "volume" and m.name == volume.name for m in item.config.mounts)
                    for item in self._containers
                ),
            )
            for volume in VolumeStore(self._layout).all()
        ]

    def _builds(self) -> list[BuildUsage]:
        found = []
        for item in build_cache.everything(self._layout):
            own = 0 if item.layer is None else self._count([self._layout.layer(item.layer)])
            if item.layer is not None and not own:
                found.append(BuildUsage(item, item.size, shared=True))
                continue
            found.append(BuildUsage(item, own + self._count([item.path]), shared=False))
        return found

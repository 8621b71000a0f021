# SPDX-License-Identifier: MIT
"""``rmi`` and ``image prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.images.image_events import tell_removed
from sandbox.engine.pruned import Pruned
from sandbox.errors import Conflict, ImageNotFound
from sandbox.models.image_filters import parse_filters, select_images
from sandbox.store import events
from sandbox.store.containers import ContainerStore
from sandbox.store.image_removal import ImageUser, Removal
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.garbage_collection import Swept
    from sandbox.store.layout import Layout


def remove(layout: Layout, name: str, *, force: bool) -> Removal:
    """Remove a name, and the image itself once it has none."""
    store = ImageStore(layout)
    image = store.find(name)
    removal = store.remove(name, force=force, users=lambda image_id: _users(layout, image_id))
    tell_removed(layout, image, removal)
    return removal


def prune(layout: Layout, *, everything: bool, filters: Sequence[str]) -> Pruned:
    """Remove images without a name, or all that no container uses, and leftovers of pulls."""
    from sandbox.store.garbage_collection import drop_leftovers

    pruned = Pruned()
    before = _size(layout)
    store = ImageStore(layout)
    wanted = parse_filters(filters)
    if wanted.pop("dangling", ["true"])[-1] in ("false", "0"):
        everything = True
    for image in select_images(store.all(), wanted, find=store.find):
        if everything or not image.repo_tags:
            _prune_one(layout, image, pruned)
    pruned.freed = max(0, before - _size(layout)) if pruned.deleted else 0
    add_swept(pruned, drop_leftovers(layout))
    events.tell_prune(layout, "image", pruned.freed)
    return pruned


def prune_blobs(layout: Layout) -> Pruned:
    """Remove the compressed blobs of layers that a registry has."""
    from sandbox.store.garbage_collection import drop_blobs

    pruned = Pruned()
    add_swept(pruned, drop_blobs(layout))
    return pruned


def add_swept(pruned: Pruned, swept: Swept) -> None:
    """Add what the store removed of its own files."""
    pruned.deleted += swept.names
    pruned.freed += swept.freed


def _prune_one(layout: Layout, image: Image, pruned: Pruned) -> None:
    if _users(layout, image.id):
        return
    try:
        removal = ImageStore(layout).remove_unused(
            image.id, lambda image_id: bool(_users(layout, image_id))
        )
    except (Conflict, ImageNotFound):
        return
    tell_removed(layout, image, removal)
    pruned.untagged += removal.untagged
    pruned.deleted += map(str, removal.deleted)


def _users(layout: Layout, image_id: Digest) -> list[ImageUser]:
    return [
        ImageUser(container.config.id, container.state.is_running)
        for container in ContainerStore(layout).all()
        if container.config.image_id == image_id
    ]


def _size(layout: Layout) -> int:
    from sandbox.store.disk_usage import disk_usage

    return disk_usage([layout.layers, layout.blobs, layout.indexes, layout.images])

# SPDX-License-Identifier: MIT
"""``image prune``: remove unused images, remains of broken pulls, and redundant blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.images.image_events import tell_removed
from sandbox.engine.images.remove import users_of
from sandbox.engine.pruned import Pruned
from sandbox.errors import Conflict, ImageNotFound
from sandbox.models.image_filters import parse_filters, select_images
from sandbox.store import events
from sandbox.store.disk_usage import disk_usage
from sandbox.store.garbage_collection import drop_blobs, drop_leftovers
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


def prune(layout: Layout, *, everything: bool, filters: Sequence[str]) -> Pruned:
    """Remove images without a name, or all unused ones, and the remains of broken pulls."""
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
    swept = drop_leftovers(layout)
    pruned.add(Pruned(deleted=list(swept.names), freed=swept.freed))
    events.tell_prune(layout, "image", pruned.freed)
    return pruned


def prune_blobs(layout: Layout) -> Pruned:
    """Remove the compressed blobs of layers that a registry has."""
    swept = drop_blobs(layout)
    return Pruned(deleted=list(swept.names), freed=swept.freed)


def _prune_one(layout: Layout, image: Image, pruned: Pruned) -> None:
    if users_of(layout, image.id):
        return
    try:
        removal = ImageStore(layout).remove_unused(
            image.id, lambda image_id: bool(users_of(layout, image_id))
        )
    except (Conflict, ImageNotFound):
        return
    tell_removed(layout, image, removal)
    pruned.untagged += removal.untagged
    pruned.deleted += map(str, removal.deleted)


def _size(layout: Layout) -> int:
    return disk_usage([layout.layers, layout.blobs, layout.indexes, layout.images])

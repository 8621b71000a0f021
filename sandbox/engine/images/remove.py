# SPDX-License-Identifier: MIT
"""``rmi``: remove a name of an image, or the image itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.images.image_events import tell_removed
from sandbox.store.containers import ContainerStore
from sandbox.store.image_removal import ImageUser, Removal
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from sandbox.models.digest import Digest
    from sandbox.store.layout import Layout


def remove(layout: Layout, name: str, *, force: bool) -> Removal:
    """Remove a name of an image, and the image if that was its last name."""
    store = ImageStore(layout)
    image = store.find(name)
    removal = store.remove(name, force=force, users=lambda image_id: users_of(layout, image_id))
    tell_removed(layout, image, removal)
    return removal


def users_of(layout: Layout, image_id: Digest) -> list[ImageUser]:
    """Return the containers that use an image."""
    return [
        ImageUser(container.config.id, container.state.is_running)
        for container in ContainerStore(layout).all()
        if container.config.image_id == image_id
    ]

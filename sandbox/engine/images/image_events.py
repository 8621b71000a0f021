# SPDX-License-Identifier: MIT
"""Events of images: import, load, tag, untag, delete and save."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import ImageNotFound
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.models.reference import Reference
    from sandbox.store.image_removal import Removal
    from sandbox.store.layout import Layout


def tell_added(layout: Layout, action: str, image_id: Digest, names: Sequence[Reference]) -> None:
    """Append the events of a new image and of its names."""
    with suppress(ImageNotFound):  # it was removed already
        image = ImageStore(layout).read(image_id)
        for name in names:
            events.tell_image(layout, "tag", image, name.familiar)
        events.tell_image(layout, action, image)


def tell_saved(layout: Layout, names: Sequence[str]) -> None:
    """Append the events of images that were saved."""
    for name in names:
        with suppress(ImageNotFound):  # it was removed during the save
            events.tell_image(layout, "save", ImageStore(layout).find(name))


def tell_removed(layout: Layout, image: Image, removal: Removal) -> None:
    """Append the events of a removal; as in Docker, they name the image by its id."""
    for name in removal.untagged:
        if "@" not in name:
            events.tell_image(layout, "untag", image)
    if image.id in removal.deleted:
        events.tell_image(layout, "delete", image)

# SPDX-License-Identifier: MIT
"""The indexes of images that have just come, so that the first start is like the second.

Does not know: where the images came from.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.store.images import ImageStore
from sandbox.store.layers import ensure_index

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.models.digest import Digest
    from sandbox.store.layout import Layout


def make_indexes(layout: Layout, image_ids: Iterable[Digest]) -> None:
    """Make the indexes; one that cannot be made now is made at the start of a container."""
    for image_id in image_ids:
        with suppress(SandboxError):
            image = ImageStore(layout).read(image_id)
            if image.layers and layout.home(image_id) is layout:
                ensure_index(layout, image)

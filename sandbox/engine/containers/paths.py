# SPDX-License-Identifier: MIT
"""The paths of a container's files on the host: layers, upper directory, index, runtime."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine.guest import install_guest
from sandbox.errors import ImageNotFound, RuntimeFailed
from sandbox.models.digest import Digest
from sandbox.models.image import host_image
from sandbox.runtime.launch import Place
from sandbox.store.containers import ContainerDir
from sandbox.store.images import ImageStore
from sandbox.store.layers import ensure_index

if TYPE_CHECKING:
    from sandbox.models.container import ContainerConfig
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


def paths_of(layout: Layout, config: ContainerConfig) -> Place:
    """Return the container's paths; make the index of its image if it is missing."""
    image = _image_of(layout, config)
    directory = ContainerDir(layout.container(config.id))
    index = None if image.is_host else os.fspath(ensure_index(layout, image))
    home = layout.home(image.id)
    return Place(
        store_root=os.fspath(home.root),
        container_dir=os.fspath(directory.path),
        upper=os.fspath(directory.upper),
        owners=os.fspath(directory.owners),
        index=index,
        layer_dirs=tuple(os.fspath(home.layer_diff(layer)) for layer in image.layers),
        guest=install_guest(layout),
    )


def _image_of(layout: Layout, config: ContainerConfig) -> Image:
    host = host_image()
    if config.image_id == host.id:
        return host
    try:
        return ImageStore(layout).read(Digest(config.image_id))
    except ImageNotFound:
        raise RuntimeFailed(
            f"the image of container {config.name} is gone: {config.image_id}"
        ) from None

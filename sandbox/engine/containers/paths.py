# SPDX-License-Identifier: MIT
"""Where the pieces of a container are on the host, made ready where needed.

The guest runtime is executed from a copy in the store, named by its content, so that
an upgrade of this package never changes it under a running container. A symlink named
by what stat says of the original spares reading it for every container.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import ImageNotFound, RuntimeFailed, map_os_errors
from sandbox.models.digest import Digest, digest_of, hex_of
from sandbox.models.image import host_image
from sandbox.runtime.launch import Place
from sandbox.store.containers import ContainerDir
from sandbox.store.images import ImageStore
from sandbox.store.layers import ensure_index

if TYPE_CHECKING:
    from sandbox.models.container import ContainerConfig
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


def place_of(layout: Layout, config: ContainerConfig) -> Place:
    """Return the container's place, with the index of its image up to date."""
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


def install_guest(layout: Layout) -> str:
    """Return the path of the guest runtime to execute."""
    from sandbox.native import core

    shipped = core.guest_path()
    with map_os_errors("cannot read the guest runtime"):
        known_as = layout.guest_dir / _identity(os.stat(shipped))
    if os.statvfs(layout.root).f_flag & os.ST_NOEXEC:
        return shipped  # the store cannot hold programs
    with suppress(OSError):
        installed = layout.guest_dir / os.readlink(known_as)
        if installed.exists():
            return os.fspath(installed)
    with map_os_errors("cannot install the guest runtime"):
        return os.fspath(_install_copy(layout, shipped, known_as))


def _identity(info: os.stat_result) -> str:
    """Return a name that another file, or the same one after a change, does not have."""
    return f"{info.st_dev:x}-{info.st_ino:x}-{info.st_size:x}-{info.st_ctime_ns:x}"


def _install_copy(layout: Layout, shipped: str, known_as: Path) -> Path:
    content = Path(shipped).read_bytes()
    installed = layout.guest_dir / hex_of(digest_of(content))
    layout.guest_dir.mkdir(mode=0o700, exist_ok=True)
    draft = layout.tmp / f"guest-{os.urandom(8).hex()}"
    if not installed.exists():
        draft.write_bytes(content)
        draft.chmod(0o755)
        draft.rename(installed)
    draft.symlink_to(installed.name)
    draft.rename(known_as)
    return installed

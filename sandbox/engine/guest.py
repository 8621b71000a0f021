# SPDX-License-Identifier: MIT
"""The guest runtime, installed in the store.

How it works: containers execute a copy of the guest runtime. The copy's name is the digest of its
content, so an upgrade of this package never changes the program of a running container. A
symlink, named after the inode of the original, saves reading the original for every container.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.models.digest import digest_of, hex_of

if TYPE_CHECKING:
    from sandbox.store.layout import Layout


def install_guest(layout: Layout) -> str:
    """Return the path of the guest runtime, after installing it if it is missing."""
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
    """Return a name that changes with the file and with its content."""
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

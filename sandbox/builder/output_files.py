# SPDX-License-Identifier: MIT
"""Write the files of a result as a directory of the host or as one tar."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from sandbox.builder.file_views import TreeView, opener, walk
from sandbox.errors import map_os_errors
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_writer import PackEntry, write_tar
from sandbox.runtime.copy.destinations import HostDestination, copy_all
from sandbox.runtime.copy.sources import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.native import core


def write_folder(tree: core.Tree, dest: str) -> None:
    """Write all files below *dest*, which is made if missing; they belong to the caller."""
    with map_os_errors(f"cannot write {dest}"):
        os.makedirs(dest, exist_ok=True)
    copy_all(_items(TreeView(tree)), HostDestination(os.fsencode(os.path.realpath(dest))))


def write_files(tree: core.Tree, write: Callable[[bytes], object]) -> None:
    """Write all files as a tar, owners and attributes included."""
    write_tar(_entries(TreeView(tree)), write)


def _items(view: TreeView) -> Iterator[Item]:
    first: dict[object, bytes] = {}
    for name, fact in walk(view, b""):
        if fact.kind in "cb":
            continue  # only root can make devices
        known = first.setdefault(fact.inode, name) if fact.inode is not None else name
        entry = TarEntry(
            name=name, kind=fact.kind if known == name else "h",
            mode=fact.mode & 0o777 if name else 0o755, uid=fact.uid,
            gid=fact.gid, mtime_ns=fact.mtime_ns, size=fact.size,
            link=fact.link if known == name else known,
        )  # fmt: skip
        yield Item(entry, opener(view, name) if entry.kind == "f" else None)


def _entries(view: TreeView) -> Iterator[PackEntry]:
    for name, fact in walk(view, b""):
        if not name:
            continue
        content: Callable[[], BinaryIO] | None = None
        if fact.kind == "f":
            content = opener(view, name)
        yield PackEntry(
            name, fact.kind, fact.mode, fact.uid, fact.gid, fact.mtime_ns, fact.size, fact.link,
            fact.rdev, fact.xattrs, fact.inode, content,
        )  # fmt: skip

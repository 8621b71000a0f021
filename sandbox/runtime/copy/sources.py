# SPDX-License-Identifier: MIT
"""Where files to copy come from: a container's tree, the host, or a tar archive.

Each source yields items with names relative to the requested path. The first item is the
path itself, ``b""``. A directory comes before its content.

Does not know: where items go (`destinations`).
"""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from sandbox.errors import map_os_errors
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_reader import TarStream
from sandbox.models.file_type import kind_of
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.native import core

_CHUNK = 256 * 1024


class Item(Record, frozen=True):
    """One file system object; *open* gives the content of a regular file.

    Content that can be read only once is in *stream* instead.
    """

    entry: TarEntry
    open: Callable[[], BinaryIO] | None = None
    stream: Iterable[tuple[int, bytes]] = ()

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Yield the content as (offset, data), in order."""
        if self.open is None:
            yield from self.stream
            return
        with self.open() as file:
            offset = 0
            while data := file.read(_CHUNK):
                yield offset, data
                offset += len(data)


def tree_items(tree: core.Tree, path: bytes, *, follow: bool = False) -> Iterator[Item]:
    """Yield the objects at and below *path* of a container; sockets are left out.

    *follow* resolves a symbolic link at *path* itself.
    """
    links: dict[tuple[int, int], bytes] = {}
    top = path
    pending = [(b"", follow)]
    while pending:
        name, resolve = pending.pop()
        full = _join(top, name)
        status = tree.stat(full, follow=resolve)
        kind = kind_of(status.mode)
        if kind is None:
            continue
        entry = _tree_entry(tree, full, name, kind, status)
        identity = (status.dev, status.ino)
        if kind != "d" and status.nlink > 1 and identity in links:
            entry.kind, entry.link, entry.size = "h", links[identity], 0
            yield Item(entry)
            continue
        links.setdefault(identity, name)
        yield Item(entry, partial(_open_in_tree, tree, full) if kind == "f" else None)
        if kind == "d":
            names = sorted(tree.list(full), reverse=True)
            pending += [(_join(name, child), False) for child in names]


def _tree_entry(
    tree: core.Tree, full: bytes, name: bytes, kind: str, status: core.TreeStat
) -> TarEntry:
    device = (os.major(status.rdev), os.minor(status.rdev)) if kind in "cb" else (0, 0)
    return TarEntry(
        name=name,
        kind=kind,
        mode=stat.S_IMODE(status.mode),
        uid=status.uid,
        gid=status.gid,
        mtime_ns=status.mtime_ns,
        size=status.size if kind == "f" else 0,
        link=status.link or b"" if kind == "l" else b"",
        rdev=device,
        xattrs=dict(tree.xattrs(full)) if kind in "fd" else {},
    )


def host_items(path: bytes, *, follow: bool = False) -> Iterator[Item]:
    """Yield the objects at and below *path* of the host."""
    links: dict[tuple[int, int], bytes] = {}
    pending = [(b"", follow)]
    while pending:
        name, resolve = pending.pop()
        full = _join(path, name)
        with map_os_errors(f"cannot read {os.fsdecode(full)}"):
            status = os.stat(full, follow_symlinks=resolve)
            kind = kind_of(status.st_mode)
            if kind is None:
                continue
            entry = TarEntry(
                name=name,
                kind=kind,
                mode=stat.S_IMODE(status.st_mode),
                uid=status.st_uid,
                gid=status.st_gid,
                mtime_ns=status.st_mtime_ns,
                size=status.st_size if kind == "f" else 0,
                link=os.readlink(full) if kind == "l" else b"",
            )
            if kind in "cb":
                entry.rdev = (os.major(status.st_rdev), os.minor(status.st_rdev))
            children = sorted(os.listdir(full), reverse=True) if kind == "d" else []
        identity = (status.st_dev, status.st_ino)
        if kind != "d" and status.st_nlink > 1 and identity in links:
            entry.kind, entry.link, entry.size = "h", links[identity], 0
            yield Item(entry)
            continue
        links.setdefault(identity, name)
        yield Item(entry, partial(_open_host, full) if kind == "f" else None)
        pending += [(_join(name, child), False) for child in children]


def tar_items(read: Callable[[int], bytes]) -> Iterator[Item]:
    """Yield the members of an archive; names lose leading and doubled slashes."""
    stream = TarStream(read)
    for entry in stream:
        entry.name = b"/".join(p for p in entry.name.split(b"/") if p not in (b"", b"."))
        if entry.kind == "h":
            entry.link = b"/".join(p for p in entry.link.split(b"/") if p not in (b"", b"."))
        yield Item(entry, stream=stream.chunks() if entry.kind == "f" else ())


def _join(parent: bytes, child: bytes) -> bytes:
    if not child:
        return parent
    return parent.rstrip(b"/") + b"/" + child if parent else child


def _open_in_tree(tree: core.Tree, path: bytes) -> BinaryIO:
    return open(tree.open_file(path), "rb")


def _open_host(path: bytes) -> BinaryIO:
    with map_os_errors(f"cannot read {os.fsdecode(path)}"):
        return open(path, "rb")

# SPDX-License-Identifier: MIT
"""Where files to copy come from: a container's tree, the host, or a tar archive.

Each source yields items with names relative to the requested path. The first item is the
path itself, ``b""``. A directory comes before its content.

Does not know: where items go (`destinations`).
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from sandbox.errors import NativeError, from_os_error, map_os_errors
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_reader import TarStream
from sandbox.models.file_type import kind_of
from sandbox.models.record import Record
from sandbox.native.host_tree import HostTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.native import core

_CHUNK = 256 * 1024


@contextmanager
def leaving_out_what_is_gone() -> Iterator[None]:
    """Continue after the block if the file that it looks at was removed or replaced meanwhile."""
    try:
        yield
    except NativeError as exc:
        if exc.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):  # EINVAL: no link now
            raise


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
            # A program may write to the file for ever.
            while data := file.read(min(_CHUNK, self.entry.size - offset)):
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
        kind = None
        with leaving_out_what_is_gone() if name else nullcontext():
            status = tree.stat(full, follow=resolve)
            kind = kind_of(status.mode)
            entry = _tree_entry(tree, full, name, kind or "", status)
            children = sorted(tree.list(full), reverse=True) if kind == "d" else []
        if kind is None:
            continue
        _link_to_earlier(entry, links, (status.dev, status.ino), status.nlink)
        yield Item(entry, partial(_open_in_tree, tree, full) if entry.kind == "f" else None)
        pending += [(_join(name, child), False) for child in children]


def _link_to_earlier(
    entry: TarEntry, links: dict[tuple[int, int], bytes], file: tuple[int, int], nlink: int
) -> None:
    """Make the entry a hard link if an earlier name of the same file is known; else note it."""
    first = links.setdefault(file, entry.name)
    if entry.kind != "d" and nlink > 1 and first != entry.name:
        entry.kind, entry.link, entry.size = "h", first, 0


def _tree_entry(
    tree: core.Tree, full: bytes, name: bytes, kind: str, status: core.TreeStat
) -> TarEntry:
    device = (os.major(status.rdev), os.minor(status.rdev)) if kind in ("c", "b") else (0, 0)
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
        xattrs=dict(tree.xattrs(full)) if kind in ("f", "d") else {},
    )


def host_items(path: bytes, *, follow: bool = False) -> Iterator[Item]:
    """Yield the objects at and below *path* of the host.

    *follow* resolves a symbolic link at *path* itself; no other link is followed. The files are
    open to be read as long as the items exist.
    """
    with map_os_errors(f"cannot read {os.fsdecode(path)}"):
        top = os.path.realpath(path) if follow else path
        if stat.S_ISDIR(os.lstat(top).st_mode):
            tree, first = HostTree(top, follow=False), b""
        else:
            tree, first = HostTree(os.path.dirname(top) or b"."), os.path.basename(top)
    links: dict[tuple[int, int], bytes] = {}
    pending = [b""]
    while pending:
        name = pending.pop()
        inner = _join(first, name)
        try:
            entry, status = _host_entry(tree, inner, name)
            children = tree.names(inner) if entry.kind == "d" else []
        except OSError as exc:
            if name and isinstance(exc, FileNotFoundError | NotADirectoryError):
                continue  # gone meanwhile
            raise from_os_error(exc, doing=f"cannot read {os.fsdecode(_join(path, name))}") from exc
        if not entry.kind:
            continue
        _link_to_earlier(entry, links, (status.st_dev, status.st_ino), status.st_nlink)
        opener = partial(_open_host, tree, inner, _join(path, name))
        yield Item(entry, opener if entry.kind == "f" else None)
        pending += [_join(name, child) for child in reversed(children)]


def _host_entry(tree: HostTree, path: bytes, name: bytes) -> tuple[TarEntry, os.stat_result]:
    status = tree.stat(path)
    kind = kind_of(status.st_mode) or ""
    entry = TarEntry(
        name=name,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        mtime_ns=status.st_mtime_ns,
        size=status.st_size if kind == "f" else 0,
        link=tree.readlink(path) if kind == "l" else b"",
    )
    if kind in ("c", "b"):
        entry.rdev = (os.major(status.st_rdev), os.minor(status.st_rdev))
    return entry, status


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


def _open_host(tree: HostTree, path: bytes, shown: bytes) -> BinaryIO:
    with map_os_errors(f"cannot read {os.fsdecode(shown)}"):
        return tree.open_file(path)

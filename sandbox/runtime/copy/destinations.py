# SPDX-License-Identifier: MIT
"""Where copied files go: a container's tree, the host, or (as entries) a tar archive.

Rules: no item is written outside the destination, whatever its name and wherever symbolic
links point. A directory never replaces a non-directory, nor the other way round. Times and
modes of directories are set after their content.

Does not know: where items come from (`sources`), or Docker's rules for the name of
the destination (`engine.archive`).
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sandbox.errors import CorruptData, NativeError, SandboxError, map_os_errors
from sandbox.layers.tar_writer import PackEntry
from sandbox.native.host_tree import HostTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.layers.tar_entry import TarEntry
    from sandbox.native import core
    from sandbox.runtime.copy.sources import Item


class Destination(Protocol):
    """Takes items one after the other."""

    def put(self, item: Item) -> None:
        """Add one item."""

    def finish(self) -> None:
        """Set what can be set only after every item is there."""


def copy_all(items: Iterable[Item], destination: Destination) -> int:
    """Put all items and return the number of bytes in files."""
    total = 0
    for item in items:
        _check_name(item.entry.name)
        destination.put(item)
        total += item.entry.size
    destination.finish()
    return total


def _check_name(name: bytes) -> None:
    if b".." in name.split(b"/"):
        raise CorruptData(f"refusing the name {os.fsdecode(name)!r}: it leaves the tree")


def pack_entries(items: Iterable[Item], prefix: bytes) -> Iterator[PackEntry]:
    """Return *items* as members of an archive, named below *prefix*."""
    for item in items:
        entry = item.entry
        content = ExitStack()
        name = _below(prefix, entry.name) or b"."
        is_link = entry.kind == "h"
        yield PackEntry(
            path=name,
            kind="f" if is_link else entry.kind,
            mode=entry.mode,
            uid=entry.uid,
            gid=entry.gid,
            mtime_ns=entry.mtime_ns,
            size=entry.size,
            link=entry.link,
            rdev=entry.rdev,
            xattrs=entry.xattrs,
            inode=_below(prefix, entry.link) if is_link else name,
            open=partial(_open_in, content, item),
        )
        content.close()


def _open_in(stack: ExitStack, item: Item) -> BinaryIO:
    assert item.open is not None
    return stack.enter_context(item.open())


class HostDestination:
    """A path of the host that becomes the first item.

    No link at or below that path is followed. Files get no set-user-id or set-group-id bit: they
    would run with the rights of the user, who did not write them.
    """

    def __init__(self, base: bytes, *, keep_owners: bool = False) -> None:
        """Write nothing yet."""
        self._base = base
        self._keep_owners = keep_owners
        self._place: tuple[HostTree, bytes] | None = None
        self._directories: list[tuple[bytes, TarEntry]] = []

    def put(self, item: Item) -> None:
        """Make one object."""
        entry = item.entry
        shown = os.fsdecode(_below(self._base, entry.name))
        with map_os_errors(f"cannot write {shown}"):
            tree, first = self._opened()
            path = _below(first, entry.name)
            _check_replaceable(_host_type(tree, path), entry.kind, shown)
            if entry.kind == "d":
                self._make_directory(tree, path, entry)
                return
            with suppress(FileNotFoundError):
                tree.unlink(path)
            if entry.kind == "h":
                tree.link(_below(first, entry.link), path)
                return
            self._make(tree, path, item)
            self._set_facts(tree, path, entry)

    def _opened(self) -> tuple[HostTree, bytes]:
        """Return a tree that holds the first item, and the item's path in it."""
        if self._place is None:
            above, name = os.path.split(self._base.rstrip(b"/"))
            if name in (b"", b".", b".."):
                above, name = self._base, b""
            self._place = HostTree(above or b"."), name
        return self._place

    def _make(self, tree: HostTree, path: bytes, item: Item) -> None:
        entry = item.entry
        if entry.kind == "l":
            tree.symlink(entry.link, path)
        elif entry.kind == "p":
            tree.mknod(path, stat.S_IFIFO | 0o600)
        elif entry.kind in "cb":
            kind = stat.S_IFCHR if entry.kind == "c" else stat.S_IFBLK
            tree.mknod(path, kind | 0o600, os.makedev(*entry.rdev))
        else:
            with tree.create(path) as file:
                _write_content(file, item)

    def _make_directory(self, tree: HostTree, path: bytes, entry: TarEntry) -> None:
        try:
            tree.mkdir(path)
        except FileExistsError:
            mode = stat.S_IMODE(tree.stat(path).st_mode)
            if mode & 0o700 != 0o700:
                tree.chmod(path, mode | 0o700)
        self._directories.append((path, entry))

    def _set_facts(self, tree: HostTree, path: bytes, entry: TarEntry) -> None:
        if self._keep_owners:
            with suppress(PermissionError):  # cp -a ignores this for unprivileged users, too
                tree.chown(path, entry.uid, entry.gid)
        if entry.kind != "l":
            is_safe = entry.kind == "d" or os.geteuid() == 0
            tree.chmod(path, entry.mode if is_safe else entry.mode & 0o1777)
        tree.utime(path, entry.mtime_ns)

    def finish(self) -> None:
        """Set modes and times of the directories, inner ones first."""
        if self._place is None:
            return
        tree, _ = self._place
        with tree:
            for path, entry in reversed(self._directories):
                shown = os.fsdecode(_below(self._base, entry.name))
                with map_os_errors(f"cannot write {shown}"):
                    self._set_facts(tree, path, entry)


def _write_content(file: BinaryIO, item: Item) -> None:
    end = 0
    for offset, data in item.chunks():
        file.seek(offset)
        file.write(data)
        end = offset + len(data)
    # An archive leaves holes out. Any other file ends where reading it ended.
    file.truncate(item.entry.size if item.open is None else end)


def _host_type(tree: HostTree, path: bytes) -> int:
    try:
        return stat.S_IFMT(tree.stat(path).st_mode)
    except FileNotFoundError:
        return 0


def _check_replaceable(present: int, kind: str, shown: str) -> None:
    if present and (kind == "d") != stat.S_ISDIR(present):
        if kind == "d":
            raise SandboxError(f'cannot overwrite non-directory "{shown}" with directory')
        raise SandboxError(f'cannot overwrite directory "{shown}" with non-directory')


class TreeDestination:
    """A path of a container that becomes the first item."""

    def __init__(self, tree: core.Tree, base: bytes, *, owner: tuple[int, int] | None) -> None:
        """Write nothing yet; *owner* replaces the owners of all items."""
        self._tree = tree
        self._base = base
        self._owner = owner
        self._directories: list[tuple[bytes, TarEntry]] = []

    def put(self, item: Item) -> None:
        """Make one object."""
        entry = item.entry
        path = _below(self._base, entry.name)
        present = self._type(path)
        _check_replaceable(present, entry.kind, os.fsdecode(path))
        if entry.kind == "d":
            if not present:
                self._tree.mkdir(path, 0o755)
            self._directories.append((path, entry))
            return
        if present:
            self._tree.unlink(path)
        if entry.kind == "h":
            self._tree.link(_below(self._base, entry.link), path)
            return
        self._make(path, item)
        self._set_facts(path, entry)

    def _make(self, path: bytes, item: Item) -> None:
        entry = item.entry
        if entry.kind == "l":
            self._tree.symlink(entry.link, path)
        elif entry.kind == "f":
            with open(self._tree.create(path, 0o600), "wb") as file:
                _write_content(file, item)
        else:
            kinds = {"c": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}
            self._tree.mknod(path, kinds[entry.kind] | 0o600, os.makedev(*entry.rdev))

    def _type(self, path: bytes) -> int:
        try:
            return stat.S_IFMT(self._tree.stat(path, follow=False).mode)
        except NativeError:
            return 0

    def _set_facts(self, path: bytes, entry: TarEntry) -> None:
        uid, gid = self._owner or (entry.uid, entry.gid)
        self._tree.chown(path, uid, gid)
        if entry.kind != "l":
            self._tree.chmod(path, entry.mode)
        self._tree.utimens(path, entry.mtime_ns, entry.mtime_ns)
        for name, value in entry.xattrs.items():
            self._tree.setxattr(path, name, value)

    def finish(self) -> None:
        """Set modes, owners and times of the directories, inner ones first."""
        for path, entry in reversed(self._directories):
            self._set_facts(path, entry)


def _below(base: bytes, name: bytes) -> bytes:
    if not name:
        return base
    return base.rstrip(b"/") + b"/" + name if base else name

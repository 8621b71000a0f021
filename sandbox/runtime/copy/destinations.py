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
    """A path of the host that becomes the first item."""

    def __init__(self, base: bytes, *, keep_owners: bool = False) -> None:
        """Write nothing yet."""
        self._base = base
        self._keep_owners = keep_owners
        self._directories: list[tuple[bytes, TarEntry]] = []

    def put(self, item: Item) -> None:
        """Make one object."""
        entry = item.entry
        path = _below(self._base, entry.name)
        shown = os.fsdecode(path)
        with map_os_errors(f"cannot write {shown}"):
            _check_replaceable(_host_type(path), entry.kind, shown)
            if entry.kind == "d":
                self._make_directory(path, entry)
                return
            _unlink(path)
            if entry.kind == "h":
                os.link(_below(self._base, entry.link), path, follow_symlinks=False)
                return
            self._make(path, item)
            self._set_facts(path, entry)

    def _make(self, path: bytes, item: Item) -> None:
        entry = item.entry
        if entry.kind == "l":
            os.symlink(entry.link, path)
        elif entry.kind == "p":
            os.mkfifo(path, 0o600)
        elif entry.kind in "cb":
            kind = stat.S_IFCHR if entry.kind == "c" else stat.S_IFBLK
            os.mknod(path, kind | 0o600, os.makedev(*entry.rdev))
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(path, flags, 0o600), "wb") as file:
                _write_content(file, item)

    def _make_directory(self, path: bytes, entry: TarEntry) -> None:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o700)
        self._directories.append((path, entry))

    def _set_facts(self, path: bytes, entry: TarEntry) -> None:
        if self._keep_owners:
            with suppress(PermissionError):  # cp -a ignores this for unprivileged users, too
                os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        if entry.kind != "l":
            os.chmod(path, entry.mode)
        times = (entry.mtime_ns, entry.mtime_ns)
        os.utime(path, ns=times, follow_symlinks=False)

    def finish(self) -> None:
        """Set modes and times of the directories, inner ones first."""
        for path, entry in reversed(self._directories):
            with map_os_errors(f"cannot write {os.fsdecode(path)}"):
                self._set_facts(path, entry)


def _write_content(file: BinaryIO, item: Item) -> None:
    for offset, data in item.chunks():
        file.seek(offset)
        file.write(data)
    file.truncate(item.entry.size)


def _host_type(path: bytes) -> int:
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except FileNotFoundError:
        return 0


def _unlink(path: bytes) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


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

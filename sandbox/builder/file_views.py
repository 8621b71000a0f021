# SPDX-License-Identifier: MIT
"""Views of files for COPY, ADD and mounts: a directory of the host, or a stage.

Rules: paths are relative to the top, without "." or ".."; b"" is the top. A view resolves
symlinks as if its top were the root directory.
"""

from __future__ import annotations

import os
import stat
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sandbox.errors import CorruptData, NativeError, map_os_errors
from sandbox.models.file_type import kind_of
from sandbox.native.host_tree import HostTree

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from sandbox.native import core

_LINKS = 40


@dataclass(frozen=True, slots=True)
class Fact:
    """The facts of one file; *inode* is the same for all its hard links."""

    kind: str
    mode: int
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    inode: Hashable = None


class View(Protocol):
    """A read-only tree of files."""

    def fact(self, path: bytes) -> Fact | None:
        """Return the facts of *path* without following a link there; None if it is absent."""

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory, sorted."""

    def open(self, path: bytes) -> BinaryIO:
        """Return the content of a regular file."""


class HostView:
    """A directory of the host; every file in it belongs to root. Threads may share it."""

    def __init__(self, root: str, excluded: Callable[[str], bool] | None = None) -> None:
        """Read the files below *root* whose relative path is not *excluded*."""
        self._root = root
        self._excluded = excluded
        self._lock = threading.Lock()
        self._files: HostTree | None = None

    @property
    def root(self) -> str:
        """The directory itself."""
        return self._root

    @property
    def is_whole(self) -> bool:
        """Whether no file is excluded."""
        return self._excluded is None

    @contextmanager
    def _tree(self, path: bytes) -> Iterator[HostTree]:
        shown = os.path.join(self._root, os.fsdecode(path))
        with self._lock, map_os_errors(f"cannot read {shown}"):
            if self._files is None:
                self._files = HostTree(self._root)
            yield self._files

    def fact(self, path: bytes) -> Fact | None:
        """Return what is at *path*."""
        with self._tree(path) as tree:
            try:
                status = tree.stat(path)
                kind = (
                    kind_of(status.st_mode) or "f"
                )  # a socket becomes an empty file, as in BuildKit
                link = tree.readlink(path) if kind == "l" else b""
            except (FileNotFoundError, NotADirectoryError):
                return None
            xattrs = tree.user_xattrs(path) if kind in "fd" else {}
        if kind != "d" and path and self._is_hidden(path):
            return None
        return Fact(
            kind=kind,
            mode=stat.S_IMODE(status.st_mode),
            mtime_ns=status.st_mtime_ns,
            size=status.st_size if kind == "f" else 0,
            link=link,
            rdev=(os.major(status.st_rdev), os.minor(status.st_rdev)) if kind in "cb" else (0, 0),
            xattrs=xattrs,
            inode=(status.st_dev, status.st_ino) if kind != "d" and status.st_nlink > 1 else None,
        )

    def _is_hidden(self, path: bytes) -> bool:
        return self._excluded is not None and self._excluded(os.fsdecode(path))

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory; an excluded one shows its included content."""
        with self._tree(path) as tree:
            found = tree.names(path)
        if self._excluded is None:
            return found
        return [name for name in found if self._has_shown(join(path, name))]

    def _has_shown(self, path: bytes) -> bool:
        if not self._is_hidden(path):
            return True
        with self._tree(path) as tree:
            is_directory = stat.S_ISDIR(tree.stat(path).st_mode)
            names = tree.names(path) if is_directory else []
        return any(self._has_shown(join(path, name)) for name in names)

    def open(self, path: bytes) -> BinaryIO:
        """Return the content of a regular file."""
        with self._tree(path) as tree:
            if stat.S_ISSOCK(tree.stat(path).st_mode):
                return open(os.devnull, "rb")
            return tree.open_file(path)


class TreeView:
    """The files of a stage or an image, with their owners."""

    def __init__(self, tree: core.Tree) -> None:
        """Read *tree*, which the caller closes."""
        self._tree = tree

    def fact(self, path: bytes) -> Fact | None:
        """Return what is at *path*."""
        full = b"/" + path
        try:
            status = self._tree.stat(full, follow=False)
        except NativeError:
            return None
        kind = kind_of(status.mode)
        if kind is None:
            return None
        return Fact(
            kind=kind,
            mode=stat.S_IMODE(status.mode),
            uid=status.uid,
            gid=status.gid,
            mtime_ns=status.mtime_ns,
            size=status.size if kind == "f" else 0,
            link=status.link or b"",
            rdev=(os.major(status.rdev), os.minor(status.rdev)) if kind in "cb" else (0, 0),
            xattrs=dict(self._tree.xattrs(full)) if kind in "fd" else {},
            inode=(status.dev, status.ino) if kind != "d" and status.nlink > 1 else None,
        )

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory."""
        return sorted(self._tree.list(b"/" + path))

    def open(self, path: bytes) -> BinaryIO:
        """Return the content of a regular file."""
        return os.fdopen(self._tree.open_file(b"/" + path), "rb")

    def host_path(self, path: bytes) -> str:
        """Return the host path of a regular file."""
        return os.fsdecode(self._tree.stat(b"/" + path).host_path or b"")


@dataclass(frozen=True)
class Written:
    """Files whose content is in memory."""

    files: dict[bytes, bytes]
    mode: int = 0o644
    mtime_ns: int = 0

    def fact(self, path: bytes) -> Fact | None:
        """Return what is at *path*."""
        if not path:
            return Fact("d", 0o755)
        if path not in self.files:
            return None
        size = len(self.files[path])
        return Fact("f", self.mode, mtime_ns=self.mtime_ns, size=size)

    def names(self, path: bytes) -> list[bytes]:
        """Return all names."""
        return [] if path else sorted(self.files)

    def open(self, path: bytes) -> BinaryIO:
        """Return the content."""
        import io

        return io.BytesIO(self.files[path])


def join(parent: bytes, name: bytes) -> bytes:
    """Return the path of *name* in *parent*."""
    return parent + b"/" + name if parent else name


def clean(path: str) -> bytes:
    """Return a path in the form that views take; ".." never leads above the top.

    >>> clean("/a/./b/../c/"), clean("../..")
    (b'a/c', b'')
    """
    parts: list[bytes] = []
    for part in os.fsencode(path).split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


def resolve(view: View, path: bytes, *, follow: bool = True) -> bytes:
    """Return *path* with its symlinks resolved; a missing rest stays unchanged."""
    todo = path.split(b"/")[::-1] if path else []
    done: list[bytes] = []
    links = 0
    while todo:
        part = todo.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            del done[-1:]
            continue
        here = b"/".join([*done, part])
        fact = view.fact(here)
        if fact is None or fact.kind != "l" or (not todo and not follow):
            done.append(part)
            continue
        links += 1
        if links > _LINKS:
            raise CorruptData(f"too many links: {os.fsdecode(path)}")
        if fact.link.startswith(b"/"):
            done = []
        todo += fact.link.split(b"/")[::-1]
    return b"/".join(done)


def walk(view: View, path: bytes) -> Iterator[tuple[bytes, Fact]]:
    """Yield (name below *path*, facts) of *path* and all files below, parents first."""
    pending = [b""]
    while pending:
        name = pending.pop()
        full = join(path, name) if name else path
        fact = view.fact(full)
        if fact is None:
            continue
        yield name, fact
        if fact.kind == "d":
            pending += [join(name, child) for child in reversed(view.names(full))]


def opener(view: View, path: bytes) -> Callable[[], BinaryIO]:
    """Return a function that opens a file later."""
    return partial(view.open, path)

# SPDX-License-Identifier: MIT
"""Builds a tree below one directory of the host, using only descriptors.

How it works: a directory is opened component by component with O_NOFOLLOW, so symlinks of an
archive are never followed. The descriptors of the last path stay open, since archives list
neighbours one after the other.

Rules: paths are relative, normalised bytes; "." is the top. remove() closes the descriptors
below the removed directory.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOP = b"."
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT = 64  # descriptors; deeper directories are opened again each time


class HostTree:
    """The tree below the directory *top*; close it after use."""

    def __init__(self, top: Path) -> None:
        self._parts: list[bytes] = []
        self._fds = [os.open(top, _DIRECTORY)]
        self._deep = -1  # one more descriptor, of the directory _deep_parts
        self._deep_parts: list[bytes] = []

    def close(self) -> None:
        """Close all descriptors."""
        self._drop_deep()
        for fd in self._fds:
            os.close(fd)
        self._fds = []

    def directory(self, path: bytes) -> int:
        """Return a descriptor of the directory *path*, valid until the next call."""
        parts = [] if path == TOP else path.split(b"/")
        if self._deep >= 0 and parts[: len(self._deep_parts)] == self._deep_parts:
            return self._descend(parts)
        self._drop_deep()
        shared = 0
        for mine, theirs in zip(self._parts, parts, strict=False):
            if mine != theirs:
                break
            shared += 1
        self._keep(shared)
        for part in parts[shared:_KEPT]:
            self._fds.append(os.open(part, _DIRECTORY, dir_fd=self._fds[-1]))
            self._parts.append(part)
        return self._fds[-1] if len(parts) <= _KEPT else self._descend(parts)

    def _descend(self, parts: list[bytes]) -> int:
        for part in parts[max(_KEPT, len(self._deep_parts)) :]:
            above = self._fds[-1] if self._deep < 0 else self._deep
            deeper = os.open(part, _DIRECTORY, dir_fd=above)
            self._drop_deep()
            self._deep = deeper
        self._deep_parts = parts
        return self._deep

    def remove(self, parent: bytes, name: bytes, gone: Callable[[bytes], None]) -> None:
        """Remove an entry and everything below it; *gone* is called with each path."""
        fd = self.directory(parent)
        path = name if parent == TOP else parent + b"/" + name
        if not stat.S_ISDIR(os.lstat(name, dir_fd=fd).st_mode):
            os.unlink(name, dir_fd=fd)
            gone(path)
            return
        depth = 0 if parent == TOP else parent.count(b"/") + 1
        self._keep(min(depth, len(self._parts)))
        _remove_directory(fd, name, path, gone)
        gone(path)

    def _keep(self, count: int) -> None:
        while len(self._parts) > count:
            self._parts.pop()
            os.close(self._fds.pop())

    def _drop_deep(self) -> None:
        if self._deep >= 0:
            os.close(self._deep)
            self._deep = -1
        self._deep_parts = []


def _remove_directory(
    parent_fd: int, name: bytes, path: bytes, gone: Callable[[bytes], None]
) -> None:
    """Empty and remove a directory without recursion, by moving nested directories up."""
    top = os.open(name, _DIRECTORY, dir_fd=parent_fd)
    try:
        pending = [(entry, path + b"/" + entry) for entry in _names(top)]
        while pending:
            child, place = pending.pop()
            if not stat.S_ISDIR(os.lstat(child, dir_fd=top).st_mode):
                os.unlink(child, dir_fd=top)
            else:
                pending += _hoist(top, child, place, gone)
                os.rmdir(child, dir_fd=top)
            gone(place)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=parent_fd)


def _hoist(
    top: int, child: bytes, path: bytes, gone: Callable[[bytes], None]
) -> list[tuple[bytes, bytes]]:
    """Move the directories in *child* up into *top*, and unlink its other entries."""
    fd = os.open(child, _DIRECTORY, dir_fd=top)
    moved: list[tuple[bytes, bytes]] = []
    try:
        for inner in _names(fd):
            place = path + b"/" + inner
            if stat.S_ISDIR(os.lstat(inner, dir_fd=fd).st_mode):
                free = f".hoisted-{os.urandom(8).hex()}".encode()
                os.rename(inner, free, src_dir_fd=fd, dst_dir_fd=top)
                moved.append((free, place))
            else:
                os.unlink(inner, dir_fd=fd)
                gone(place)
    finally:
        os.close(fd)
    return moved


def _names(fd: int) -> list[bytes]:
    return [os.fsencode(entry) for entry in os.listdir(fd)]

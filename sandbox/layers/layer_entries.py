# SPDX-License-Identifier: MIT
"""The entries of one layer while it is being unpacked: a model of its tree.

How it works: the table is the C core's; it keeps its records in a file, so that memory
hardly grows with the layer. Names of the archive are resolved here, symlinks among the
parents included, before any host call is made.
"""

from __future__ import annotations

import base64
import tempfile
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData
from sandbox.layers.tar_fields import text
from sandbox.native.layer_table import LayerTable, Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOP = b"."
_PATH_LIMIT = 4095
_NAME_LIMIT = 255
_LINK_LIMIT = 40  # as in the kernel


class Entries:
    """All entries made so far, in order, parents before children; close it after use."""

    def __init__(self, folder: Path) -> None:
        self.table = LayerTable(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - the table's
        self._directory = TOP  # one that exists: archives name neighbours together

    def close(self) -> None:
        """Forget everything."""
        self.table.close()

    def get(self, path: bytes) -> Record | None:
        """Return what is at *path*, if anything."""
        return self.table.get(path)

    def put(self, path: bytes, record: Record, xattrs: Mapping[bytes, bytes] | None = None) -> None:
        """Record what is at *path*; a directory may replace a directory."""
        self.table.put(path, record, _json(xattrs) if xattrs else b"")

    def link(self, path: bytes, target: bytes) -> None:
        """Record that *path*, where nothing is, is another name of what is at *target*."""
        self.table.link(path, target)

    def remove(self, path: bytes) -> None:
        """Forget *path*; whoever removes a directory removes all that is below it."""
        self._directory = TOP
        self.table.remove(path)

    def mark_whiteout(self, parent: bytes, name: bytes) -> None:
        """Record that *name* of the layers below is removed."""
        self.table.mark(_join(parent, name), "w")

    def mark_opaque(self, path: bytes) -> None:
        """Record that the layers below show nothing in directory *path*."""
        self.table.mark(path, "o")

    def place(self, name: bytes) -> tuple[bytes, bytes]:
        """Return the resolved parent and the last component of a member's name.

        The last component is never followed; for the top it is ".".
        """
        parts = _normalised(name)
        if not parts:
            return TOP, TOP
        parent = b"/".join(parts[:-1]) or TOP
        if not self._is_directory(parent):
            parent = self._resolve(parts[:-1], name)
        if len(parent) + 1 + len(parts[-1]) > _PATH_LIMIT:
            raise CorruptData(f"tar: the name {text(name[:60])}... is too long")
        return parent, parts[-1]

    def missing_parents(self, parent: bytes) -> list[bytes]:
        """Return the directories to make so that *parent* exists, outermost first."""
        missing = []
        while not self._is_directory(parent):
            missing.append(parent)
            parent = parent.rpartition(b"/")[0] or TOP
        return missing[::-1]

    def _is_directory(self, path: bytes) -> bool:
        if path in (TOP, self._directory):
            return True
        known = self.get(path)
        if known is None or known.kind != "d":
            return False
        self._directory = path
        return True

    def _resolve(self, parts: list[bytes], name: bytes) -> bytes:
        """Follow the symlinks among *parts*; what is missing stays as it is."""
        todo = parts[::-1]
        done: list[bytes] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                if not done:
                    raise CorruptData(f"tar: {text(name)} leaves the root through a symlink")
                done.pop()
                continue
            path = b"/".join([*done, part])
            inode = self.get(path)
            if inode is None or inode.kind == "d":
                done.append(part)
                continue
            links += 1
            if inode.kind != "l" or links > _LINK_LIMIT:
                raise CorruptData(
                    f"tar: {text(name)} lies below {text(path)}, which is no directory"
                )
            if inode.link.startswith(b"/"):
                done = []
            target = [item for item in inode.link.split(b"/") if item not in (b"", b".")]
            todo += target[::-1]
            if any(len(item) > _NAME_LIMIT for item in target):
                raise CorruptData(f"tar: the name {text(name)} is too long")
        return b"/".join(done) or TOP


def _normalised(name: bytes) -> list[bytes]:
    """Return the components of *name*, "." and ".." taken out as text."""
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part in (b"", b"."):
            continue
        if part == b"..":
            if not parts:
                raise CorruptData(f"tar: the member {text(name)} leaves the root")
            parts.pop()
            continue
        if len(part) > _NAME_LIMIT:
            raise CorruptData(f"tar: the name {text(part[:60])}... is too long")
        parts.append(part)
    return parts


def _json(xattrs: Mapping[bytes, bytes]) -> bytes:
    """Return the value that the rows of a table have under "x"."""
    return msgspec.json.encode(
        {name.decode("latin-1"): base64.b64encode(value).decode() for name, value in xattrs.items()}
    )


def _join(parent: bytes, name: bytes) -> bytes:
    return name if parent == TOP else parent + b"/" + name

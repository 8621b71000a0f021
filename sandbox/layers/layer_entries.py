# SPDX-License-Identifier: MIT
"""The entries of a layer during unpacking: a model of its tree.

How it works: the C core keeps the table in a file, so that memory use hardly grows with the
layer. Names from the archive are resolved here, including symlinks among the parents, before
any call to the host.
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
_LINK_LIMIT = 40  # as in Linux


class Entries:
    """All entries so far, in order, parents before children; close it after use."""

    def __init__(self, folder: Path) -> None:
        self.table = LayerTable(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - the table's
        self._directory = TOP  # a known directory: archives list neighbours together

    def close(self) -> None:
        """Close the table and delete its file."""
        self.table.close()

    def get(self, path: bytes) -> Record | None:
        """Return the entry at *path*, or None."""
        return self.table.get(path)

    def put(self, path: bytes, record: Record, xattrs: Mapping[bytes, bytes] | None = None) -> None:
        """Set the entry at *path*; a directory may replace a directory."""
        self.table.put(path, record, _json(xattrs) if xattrs else b"")

    def link(self, path: bytes, target: bytes) -> None:
        """Add *path* as another name of the file at *target*; *path* must be free."""
        self.table.link(path, target)

    def remove(self, path: bytes) -> None:
        """Remove the entry at *path*. The caller must remove the entries below it as well."""
        self._directory = TOP
        self.table.remove(path)

    def mark_whiteout(self, parent: bytes, name: bytes) -> None:
        """Record a whiteout: *name* of the lower layers is hidden."""
        self.table.mark(_join(parent, name), "w")

    def mark_opaque(self, path: bytes) -> None:
        """Record that the directory *path* is opaque: it hides the lower layers' entries."""
        self.table.mark(path, "o")

    def place(self, name: bytes) -> tuple[bytes, bytes]:
        """Return the resolved parent and the last component of a member's name.

        The last component is never followed; that of the top is ".". Raises CorruptData.
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
        """Return the directories to create so that *parent* exists, outermost first."""
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
        """Follow the symlinks among *parts*; missing components stay as they are."""
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
                    f"tar: {text(name)} is below {text(path)}, which is not a directory"
                )
            if inode.link.startswith(b"/"):
                done = []
            target = [item for item in inode.link.split(b"/") if item not in (b"", b".")]
            todo += target[::-1]
            if any(len(item) > _NAME_LIMIT for item in target):
                raise CorruptData(f"tar: the name {text(name)} is too long")
        return b"/".join(done) or TOP


def _normalised(name: bytes) -> list[bytes]:
    """Return the components of *name*, with "." and ".." resolved lexically."""
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
    """Return the value of "x" in a row of the table."""
    return msgspec.json.encode(
        {name.decode("latin-1"): base64.b64encode(value).decode() for name, value in xattrs.items()}
    )


def _join(parent: bytes, name: bytes) -> bytes:
    return name if parent == TOP else parent + b"/" + name

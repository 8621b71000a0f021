# SPDX-License-Identifier: MIT
"""Turns a container's changes into a layer, in place.

How it works: the changed entries become the rows of a table. Then the container's upper
directory, without the runtime's marks, becomes the layer's diff/. Its files are read once, for
the diff id. The work is proportional to the changes.

Rules: a directory that was created only as a mount point is left out if it is empty. The
container has ended, and its directory is on the file system of the layer.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.layers.layer_tar import Row, raw, row_of
from sandbox.layers.layer_writer import hash_layer, write_tables
from sandbox.layers.tar_writer import PackEntry
from sandbox.layers.unpack import UnpackedLayer
from sandbox.layers.whiteout import check_name
from sandbox.models.file_type import kind_of
from sandbox.native.host_tree import HostTree
from sandbox.store.layout import DIFF

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from sandbox.native import core


class Changes:
    """The rows of a layer, read from a container's tree."""

    def __init__(
        self, tree: core.Tree, *, latest_ns: int | None, unwanted: frozenset[bytes]
    ) -> None:
        """Read the tree; *unwanted* directories are left out if they are empty."""
        self._tree = tree
        self._latest = latest_ns
        self._unwanted = unwanted
        self._above = {os.path.dirname(path) for path in unwanted}
        self._first: dict[Hashable, bytes] = {}
        self.upper = tree.upper
        self.rows: list[Row] = []
        self.size = 0
        self.gone: list[bytes] = []
        """Names in the upper directory that the layer leaves out, such as the runtime's marks."""
        self._collect()

    def _collect(self) -> None:
        marks = []
        found: list[PackEntry] = []
        needed: set[bytes] = set()
        changes = self._tree.changes(marks=self.gone)
        for kind, path in changes:
            if kind != "D":
                check_name(path.strip(b"/"))
        for kind, path in reversed(changes):
            if kind == "D":
                marks.append(Row(p=path.strip(b"/").decode("latin-1"), t="w"))
                needed.add(os.path.dirname(path))
                continue
            entry = self._entry(path)
            if entry is None or self._is_trace(kind, path, needed):
                self.gone.append(path)
                continue
            needed.add(os.path.dirname(path))
            found.append(entry)
        for entry in reversed(found):
            self._add(entry)
        self.rows += reversed(marks)

    def _add(self, entry: PackEntry) -> None:
        first = None
        if entry.inode is not None:
            first = self._first.setdefault(entry.inode, entry.path)
        is_new = first is None or first == entry.path
        self.rows.append(row_of(entry, None if is_new else first))
        if is_new:
            self.size += entry.size

    def _is_trace(self, kind: str, path: bytes, needed: set[bytes]) -> bool:
        """Return whether the entry exists only because something was mounted there."""
        if path in needed:
            return False
        return path in self._unwanted if kind == "A" else path in self._above

    def _entry(self, path: bytes) -> PackEntry | None:
        status = self._tree.stat(path, follow=False)
        kind = kind_of(status.mode)
        if kind is None:
            return None  # images have no sockets
        mtime = status.mtime_ns if self._latest is None else min(status.mtime_ns, self._latest)
        return PackEntry(
            path=path.strip(b"/"),
            kind=kind,
            mode=stat.S_IMODE(status.mode),
            uid=status.uid,
            gid=status.gid,
            mtime_ns=mtime,
            size=status.size if kind == "f" else 0,
            link=status.link or b"",
            rdev=(os.major(status.rdev), os.minor(status.rdev)) if kind in "cb" else (0, 0),
            xattrs=dict(self._tree.xattrs(path)) if kind in "fd" else {},
            inode=(status.dev, status.ino) if kind != "d" and status.nlink > 1 else None,
        )


def adopt_upper(changes: Changes, into: Path) -> UnpackedLayer:
    """Make the layer of *changes* in the empty directory *into*; this moves the upper."""
    with map_os_errors("cannot make the layer"), HostTree(changes.upper, own=True) as upper:
        for name in changes.gone:
            parent, _, last = name.lstrip(b"/").rpartition(b"/")
            with suppress(FileNotFoundError):  # it was in a directory that is gone, too
                upper.remove(parent, last, lambda _: None)
        for row in changes.rows:
            if row.t == "p":
                _make_plain(upper, raw(row.p))
        upper.chmod(b"", 0o700)
        os.rename(changes.upper, into / DIFF)
        for row in changes.rows:
            if row.t in "fcbp" and not row.h:
                _make_readable(upper, raw(row.p), 0o600)
        for row in reversed(changes.rows):
            if row.t == "d":
                _make_readable(upper, raw(row.p), 0o700)
                upper.utime(raw(row.p), row.mt)
    info = write_tables(changes.rows, into, changes.size)
    return UnpackedLayer(hash_layer(into, changes.rows), into, info)


def _make_plain(upper: HostTree, path: bytes) -> None:
    """Replace a FIFO by an empty file, which stands for it in a layer."""
    mode = 0o600 | stat.S_IMODE(upper.stat(path).st_mode)
    upper.unlink(path)
    upper.create(path).close()
    upper.chmod(path, mode & 0o777)


def _make_readable(upper: HostTree, path: bytes, rights: int) -> None:
    """Give the owner the rights on a file of the layer; programs can take them away."""
    mode = stat.S_IMODE(upper.stat(path).st_mode)
    if mode & rights != rights:
        upper.chmod(path, mode & 0o777 | rights)

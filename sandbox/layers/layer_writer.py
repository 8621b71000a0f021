# SPDX-License-Identifier: MIT
"""Writes a layer entry by entry: files, table and diff id in one pass, without an archive.

How it works: each entry is written below diff/. In the same pass, its part of the tar that
`layer_tar` would make of the layer is hashed. So the layer is usable at once, and its archive
can be made later.

Rules: paths are relative and normalised. Parents come before their children; no path comes
twice. Host files follow the rules of `unpack`.

Must not know: where entries come from, where the layer goes.
"""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData, map_os_errors
from sandbox.layers.layer_tar import Row, layer_entries, row_of
from sandbox.layers.tar_fields import text
from sandbox.layers.tar_writer import TarWriter
from sandbox.layers.unpack import UnpackedLayer, write_with_holes
from sandbox.models.closable import Closing
from sandbox.models.digest import Digest
from sandbox.native.host_tree import HostTree
from sandbox.store.layers import LayerInfo
from sandbox.store.layout import DIFF, INFO, META
from sandbox.store.program_digests import record_programs

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from sandbox.layers.byte_streams import Readable
    from sandbox.layers.tar_writer import PackEntry

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LayerWriter(Closing):
    """Writes one layer below the empty directory *into*."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._rows: list[Row] = []
        self._first: dict[Hashable, bytes] = {}
        self._size = 0
        self._hash = hashlib.sha256()
        self._tar = TarWriter(self._hash.update)
        with map_os_errors("cannot make the layer"):
            os.mkdir(into / DIFF, 0o755)
            self._tree = HostTree(into / DIFF)

    def close(self) -> None:
        """Close the tree. This does not finish the layer."""
        self._tree.close()

    def add(self, entry: PackEntry) -> None:
        """Write one file, directory, link, device or FIFO. Raises CorruptData, StoreError."""
        with map_os_errors(f"cannot write {text(entry.path)}"):
            parent, _, name = entry.path.rpartition(b"/")
            first = self._first.get(entry.inode) if entry.inode is not None else None
            self._rows.append(row_of(entry, first))
            if first is not None:
                self._link(first, name, parent)
                self._tar.head(entry)
                return
            if entry.inode is not None:
                self._first[entry.inode] = entry.path
            self._tar.head(entry)
            self._make(entry, name, self._tree.directory(parent or b"."))

    def mark(self, path: str, kind: str) -> None:
        """Record a whiteout (*kind* "w") or an opaque directory ("o").

        Marks come after all entries.
        """
        row = Row(p=path, t=kind)
        self._rows.append(row)
        [entry] = layer_entries(iter([row]), lambda _: 0, lambda _: io.BytesIO())
        self._tar.add(entry)

    def finish(self) -> UnpackedLayer:
        """Write the tables and return the complete layer."""
        self._tar.end()
        with map_os_errors("cannot make the layer"):
            for row in self._rows:
                if row.t == "d":
                    path = row.p.encode("latin-1")
                    os.utime(self._tree.directory(path), ns=(row.mt, row.mt))
        info = write_tables(self._rows, self._into, self._size)
        return UnpackedLayer(Digest(f"sha256:{self._hash.hexdigest()}"), self._into, info)

    def _make(self, entry: PackEntry, name: bytes, fd: int) -> None:
        mode = entry.mode & 0o777
        times = (entry.mtime_ns, entry.mtime_ns)
        if entry.kind == "d":
            os.mkdir(name, 0o700, dir_fd=fd)
            os.chmod(name, 0o700 | mode, dir_fd=fd)
        elif entry.kind == "l":
            os.symlink(entry.link, name, dir_fd=fd)
            os.utime(name, ns=times, dir_fd=fd, follow_symlinks=False)
        else:
            file = os.open(name, _NEW_FILE, 0o600, dir_fd=fd)
            try:
                if entry.kind == "f":
                    self._fill(file, entry)
                os.fchmod(file, 0o600 | mode)
                os.utime(file, ns=times)
            finally:
                os.close(file)

    def _fill(self, file: int, entry: PackEntry) -> None:
        end = done = 0
        if entry.open is not None and entry.size:
            reader: Readable = entry.open()
            for data in self._tar.data(reader, entry):
                end = write_with_holes(file, done, data) or end
                done += len(data)
            close = getattr(reader, "close", None)
            if close is not None:
                close()
        if entry.size and done != entry.size:
            raise CorruptData(f"{text(entry.path)} became shorter while it was read")
        if end != entry.size:
            os.ftruncate(file, entry.size)
        self._size += entry.size

    def _link(self, first: bytes, name: bytes, parent: bytes) -> None:
        above, _, source = first.rpartition(b"/")
        source_fd = os.dup(self._tree.directory(above or b"."))
        try:
            target = self._tree.directory(parent or b".")
            os.link(source, name, src_dir_fd=source_fd, dst_dir_fd=target, follow_symlinks=False)
        finally:
            os.close(source_fd)


def write_tables(rows: list[Row], into: Path, size: int) -> LayerInfo:
    """Write the files of a layer other than diff/; *size* is that of its files in bytes."""
    encoder = msgspec.json.Encoder()
    info = LayerInfo(size, len(rows))
    with map_os_errors("cannot make the layer"):
        with (into / META).open("wb") as table:
            for row in rows:
                table.write(encoder.encode(row) + b"\n")
        (into / INFO).write_bytes(msgspec.json.encode(info))
        record_programs(into)
    return info


def hash_layer(into: Path, rows: list[Row]) -> Digest:
    """Return the diff id of a layer whose files are already in place."""
    from sandbox.layers.layer_tar import Files

    digest = hashlib.sha256()
    with Files(into / DIFF) as files, map_os_errors("cannot read the new layer"):
        tar = TarWriter(digest.update)
        for entry in layer_entries(iter(rows), files.size, files.open):
            tar.add(entry)
        tar.end()
    return Digest(f"sha256:{digest.hexdigest()}")

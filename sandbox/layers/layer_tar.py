# SPDX-License-Identifier: MIT
"""Packs a layer's files and table into a compressed tar, which is always the same.

Rules: entries come in the order of the table, whiteouts last. The result equals the layer's
original tar only if `tar_writer` made that one, so the caller compares diff ids.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from functools import partial
from typing import IO, TYPE_CHECKING

import msgspec

from sandbox.errors import map_os_errors
from sandbox.layers.original_blob import BlobKeeper
from sandbox.layers.tar_writer import PackEntry, write_tar
from sandbox.layers.whiteout import OPAQUE, PREFIX
from sandbox.models.closable import Closing
from sandbox.models.digest import Digest
from sandbox.native.host_tree import HostTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.models import oci


class Row(msgspec.Struct, omit_defaults=True):
    """One row of a layer's table; `unpack` explains the fields."""

    p: str
    t: str
    m: int = 0
    u: int = 0
    g: int = 0
    mt: int = 0
    l: str = ""  # noqa: E741 - the name in the table
    h: str = ""
    rdev: tuple[int, int] = (0, 0)
    x: dict[str, str] | None = None


def read_rows(meta: Path) -> Iterator[Row]:
    """Yield the rows of a table. Raises CorruptData, StoreError."""
    decoder = msgspec.json.Decoder(Row)
    with map_os_errors(f"cannot read {meta}"), meta.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)


def row_of(entry: PackEntry, first: bytes | None = None) -> Row:
    """Return the row for an entry; *first* is an earlier name of the same file."""
    return Row(
        p=entry.path.decode("latin-1"),
        t=entry.kind,
        m=entry.mode & 0o7777,
        u=entry.uid,
        g=entry.gid,
        mt=entry.mtime_ns,
        l=entry.link.decode("latin-1") if entry.kind == "l" else "",
        h="" if first is None else first.decode("latin-1"),
        rdev=entry.rdev if entry.kind in "cb" else (0, 0),
        x={
            name.decode("latin-1"): base64.b64encode(value).decode()
            for name, value in entry.xattrs.items()
        }
        or None,
    )


def raw(name: str) -> bytes:
    """Return the bytes that a name in the table stands for."""
    return name.encode("latin-1")


def pack_layer(diff: Path, meta: Path, into: Path) -> tuple[Digest, oci.Descriptor]:
    """Write the compressed tar to the new file *into*; return its diff id and descriptor."""
    digest = hashlib.sha256()
    with closing(BlobKeeper(_Nothing(), into)) as keeper, Files(diff) as files:

        def write(data: bytes) -> None:
            digest.update(data)
            keeper.feed(data)

        with map_os_errors("cannot pack the layer"):
            write_tar(layer_entries(read_rows(meta), files.size, files.open), write)
            blob = keeper.finish()
    return Digest(f"sha256:{digest.hexdigest()}"), blob


def layer_entries(
    rows: Iterator[Row],
    size_of: Callable[[bytes], int],
    opener: Callable[[bytes], IO[bytes]],
) -> Iterator[PackEntry]:
    """Yield the entries for the tar of a layer."""
    shared: set[str] = set()
    everything = list(rows)
    shared.update(row.h for row in everything if row.h)
    for row in everything:
        path = raw(row.p)
        if row.t in "wo":
            yield PackEntry(_mark(path, row.t), "f", 0o644)
            continue
        is_file = row.t == "f"
        yield PackEntry(
            path,
            row.t,
            row.m,
            row.u,
            row.g,
            row.mt,
            size=size_of(path) if is_file else 0,
            link=raw(row.l),
            rdev=row.rdev,
            xattrs={raw(key): base64.b64decode(value) for key, value in (row.x or {}).items()},
            inode=(row.h or row.p) if row.h or row.p in shared else None,
            open=partial(opener, path) if is_file else None,
        )


def _mark(path: bytes, kind: str) -> bytes:
    if kind == "o":
        return OPAQUE if path == b"." else path + b"/" + OPAQUE
    parent, slash, name = path.rpartition(b"/")
    return parent + slash + PREFIX + name


class _Nothing:
    """An empty source: the caller passes the data to feed()."""

    def read(self, size: int, /) -> bytes:
        del size
        return b""


class Files(Closing):
    """Opens the files of a layer, one at a time."""

    def __init__(self, diff: Path) -> None:
        self._tree = HostTree(diff)
        self._open: IO[bytes] | None = None

    def close(self) -> None:
        """Close the open file and the directories."""
        if self._open is not None:
            self._open.close()
        self._tree.close()

    def size(self, path: bytes) -> int:
        """Return the size of a file in bytes."""
        return self._tree.stat(path).st_size

    def open(self, path: bytes) -> IO[bytes]:
        """Open a file for reading, and close the previous one."""
        if self._open is not None:
            self._open.close()
        self._open = self._tree.open_file(path)
        return self._open

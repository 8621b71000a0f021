# SPDX-License-Identifier: MIT
"""The entries of a layer that is being unpacked (csrc/layers/layer_table.h, layer_quick.h).

Rules: one thread at a time. A path that is new is put; one that is there may be put
again only if both are directories.

Does not know: tar dialects, or where the layer goes.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import IO, Any

from sandbox.errors import NativeError, Unsupported
from sandbox.models.closable import Closing
from sandbox.native._native import ffi, lib


@dataclass(slots=True)
class Record:
    """What is known of a file, whatever its names. Times in nanoseconds."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)


class LayerTable:
    """Paths and what they name, kept in the file *draft* (new, to read and write)."""

    def __init__(self, draft: IO[bytes]) -> None:
        self._draft = draft
        error = ffi.new("int *")
        self._table: Any = lib.sb_table_open(draft.fileno(), error)
        if self._table == ffi.NULL:
            raise NativeError(-error[0], "cannot make the table of a layer")
        self._row = ffi.new("struct sb_record *")

    def close(self) -> None:
        """Release the memory and the draft."""
        lib.sb_table_close(self._table)
        self._table = ffi.NULL
        self._draft.close()

    @property
    def handle(self) -> Any:
        """What other functions of the core take."""
        return self._table

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return int(lib.sb_table_size(self._table))

    def get(self, path: bytes) -> Record | None:
        """Return what is at *path*, if anything."""
        at = lib.sb_table_find(self._table, path, len(path))
        if at == -errno.ENOENT:
            return None
        _check(at)
        row = self._row
        link = ffi.new("char[4096]")
        _check(lib.sb_table_read(self._table, at, row, link, 4096))
        return Record(
            kind=chr(row.kind),
            mode=row.mode,
            uid=row.uid,
            gid=row.gid,
            mtime_ns=row.mtime,
            size=row.size,
            link=bytes(ffi.buffer(link, min(row.link_len, 4096))),
            rdev=(row.major, row.minor),
        )

    def put(self, path: bytes, record: Record, xattrs: bytes = b"") -> None:
        """Put *record* at *path*; *xattrs* is a JSON object or nothing."""
        row = ffi.new("struct sb_record *")
        row.kind = ord(record.kind)
        row.mode, row.uid, row.gid = record.mode, record.uid, record.gid
        row.mtime, row.size = record.mtime_ns, record.size
        row.major, row.minor = record.rdev
        row.link_len = len(record.link)
        arguments = (record.link, xattrs, len(xattrs))
        _check(lib.sb_table_put(self._table, path, len(path), row, *arguments))

    def link(self, path: bytes, target: bytes) -> None:
        """Make *path*, where nothing is, another name of what is at *target*."""
        _check(lib.sb_table_link(self._table, path, len(path), target, len(target)))

    def remove(self, path: bytes) -> None:
        """Forget one name."""
        _check(lib.sb_table_remove(self._table, path, len(path)))

    def mark(self, path: bytes, kind: str) -> None:
        """Note a whiteout (w) or an opaque directory (o)."""
        _check(lib.sb_table_mark(self._table, path, len(path), ord(kind)))

    def write(self, fd: int) -> int:
        """Write the rows to *fd*; returns how many. Nothing may be added after it."""
        return _check(lib.sb_table_write(self._table, fd))

    def set_times(self, top_fd: int) -> None:
        """Give the directories below *top_fd* their times."""
        problem = ffi.new("char[4096]")
        _check(lib.sb_table_set_times(self._table, top_fd, problem))


class QuickMembers(Closing):
    """Makes the plain members of a tar below the directory *top_fd*."""

    def __init__(self, table: LayerTable, top_fd: int, umask: int) -> None:
        self._quick: Any = lib.sb_quick_open(table.handle, top_fd, umask)
        if self._quick == ffi.NULL:
            raise NativeError(errno.ENOMEM, "cannot unpack the layer")
        self._members = ffi.new("uint32_t *")
        self._error = ffi.new("int *")

    def close(self) -> None:
        """Release the table; nothing can be asked afterwards."""
        lib.sb_quick_close(self._quick)
        self._quick = ffi.NULL

    def forget(self) -> None:
        """Take note that directories may have gone."""
        lib.sb_quick_forget(self._quick)

    def run(self, piece: bytes, at: int) -> tuple[int, int, int]:
        """Make what is plain in *piece* from *at* on.

        Returns the bytes and the members taken, and 0 or the errno of the next member.
        """
        start = ffi.from_buffer(piece) + at
        left = len(piece) - at
        taken = _check(lib.sb_quick_run(self._quick, start, left, self._members, self._error))
        return taken, self._members[0], -self._error[0]


def _check(result: int) -> int:
    if result == -errno.ELOOP:
        raise Unsupported("a layer with too many names whose hashes are the same")
    if result < 0:
        raise OSError(-result, "")
    return result

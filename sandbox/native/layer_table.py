# SPDX-License-Identifier: MIT
"""The entries of a layer that is being unpacked (csrc/layers/layer_table.h, layer_quick.h).

Rules: one thread at a time. put() needs a new path, or a directory that replaces a directory.

Must not know: tar formats, where the layer goes.
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
    """The attributes of a file, without its names. Times are in nanoseconds."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)


class LayerTable:
    """Maps paths to records, which are kept in *draft*, a new file open to read and write."""

    def __init__(self, draft: IO[bytes]) -> None:
        self._draft = draft
        error = ffi.new("int *")
        self._table: Any = lib.sb_table_open(draft.fileno(), error)
        if self._table == ffi.NULL:
            raise NativeError(-error[0], "cannot make the table of a layer")
        self._row = ffi.new("struct sb_record *")

    def close(self) -> None:
        """Release the memory and close the draft."""
        lib.sb_table_close(self._table)
        self._table = ffi.NULL
        self._draft.close()

    @property
    def handle(self) -> Any:
        """The C object, for other functions of the core."""
        return self._table

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return int(lib.sb_table_size(self._table))

    def get(self, path: bytes) -> Record | None:
        """Return the record at *path*, or None."""
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
        """Set the record at *path*; *xattrs* is a JSON object or b""."""
        row = ffi.new("struct sb_record *")
        row.kind = ord(record.kind)
        row.mode, row.uid, row.gid = record.mode, record.uid, record.gid
        row.mtime, row.size = record.mtime_ns, record.size
        row.major, row.minor = record.rdev
        row.link_len = len(record.link)
        arguments = (record.link, xattrs, len(xattrs))
        _check(lib.sb_table_put(self._table, path, len(path), row, *arguments))

    def link(self, path: bytes, target: bytes) -> None:
        """Make *path* another name of the file at *target*; *path* must be free."""
        _check(lib.sb_table_link(self._table, path, len(path), target, len(target)))

    def remove(self, path: bytes) -> None:
        """Remove one name."""
        _check(lib.sb_table_remove(self._table, path, len(path)))

    def mark(self, path: bytes, kind: str) -> None:
        """Record a whiteout ("w") or an opaque directory ("o")."""
        _check(lib.sb_table_mark(self._table, path, len(path), ord(kind)))

    def write(self, fd: int) -> int:
        """Write the rows to *fd* and return their number. Nothing may be added afterwards."""
        return _check(lib.sb_table_write(self._table, fd))

    def set_times(self, top_fd: int) -> None:
        """Set the times of the directories below *top_fd*."""
        problem = ffi.new("char[4096]")
        _check(lib.sb_table_set_times(self._table, top_fd, problem))


class QuickMembers(Closing):
    """Creates the plain members of a tar below the directory *top_fd*."""

    def __init__(self, table: LayerTable, top_fd: int, umask: int) -> None:
        self._quick: Any = lib.sb_quick_open(table.handle, top_fd, umask)
        if self._quick == ffi.NULL:
            raise NativeError(errno.ENOMEM, "cannot unpack the layer")
        self._members = ffi.new("uint32_t *")
        self._error = ffi.new("int *")

    def close(self) -> None:
        """Release the object."""
        lib.sb_quick_close(self._quick)
        self._quick = ffi.NULL

    def forget(self) -> None:
        """Drop cached directories, since some may have been removed."""
        lib.sb_quick_forget(self._quick)

    def run(self, piece: bytes, at: int) -> tuple[int, int, int]:
        """Create the plain members in *piece*, from the offset *at* on.

        Returns the number of bytes and of members handled, and the errno of the next member or 0.
        """
        start = ffi.from_buffer(piece) + at
        left = len(piece) - at
        taken = _check(lib.sb_quick_run(self._quick, start, left, self._members, self._error))
        return taken, self._members[0], -self._error[0]


def _check(result: int) -> int:
    if result == -errno.ELOOP:
        raise Unsupported("the layer has too many names with equal hashes")
    if result < 0:
        raise OSError(-result, "")
    return result

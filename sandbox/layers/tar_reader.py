# SPDX-License-Identifier: MIT
"""Reads a tar archive once, front to back, in all formats that images use.

Sources: POSIX pax (ustar and extended headers), the GNU tar manual, Go's archive/tar.

How it works: v7, ustar, GNU and PAX headers become one TarEntry for each member. Long names,
extended attributes, times in nanoseconds and all four formats of sparse files are supported.
Names stay bytes.

Rules: a damaged, truncated or contradictory member raises CorruptData; nothing is guessed or
silently dropped. Global PAX headers are skipped, as in Docker. Memory is bounded, whatever a
header claims.

Must not know: the effect of an entry on a file system, whether its name is safe.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sandbox.errors import CorruptData
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_fields import (
    PaxRecords,
    apply_pax,
    check_entry,
    check_segments,
    number,
    old_sparse,
    parse_pax,
    read_map,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK = 512
_CHUNK = 256 * 1024
_EXTENSION_LIMIT = 1024 * 1024  # bytes of one extended header, as in Go
_SIZE_LIMIT = 2**63 - 1
_FIELDS = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_ZEROS = bytes(BLOCK)

_KINDS = {
    b"0": "f",
    b"\0": "f",
    b"7": "f",
    b"S": "f",
    b"1": "h",
    b"2": "l",
    b"3": "c",
    b"4": "b",
    b"5": "d",
    b"6": "p",
}
_LONG_NAME, _LONG_LINK, _VOLUME_LABEL = b"L", b"K", b"V"
_PAX_LOCAL, _PAX_GLOBAL = (b"x", b"X"), b"g"


class TarStream:
    """The entries of one archive; read chunks() of an entry before the next entry.

    *read* returns as many bytes as requested, fewer only at the end of the input. *skip* passes
    over unwanted bytes, and must check that they exist. *quick* handles the members it can at the
    current position, and returns the number of bytes they took; those members are not yielded.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        *,
        skip: Callable[[int], None] | None = None,
        quick: Callable[[], int] | None = None,
    ) -> None:
        self._read = read
        self._skip = skip
        self._quick = quick
        self._left = 0  # unread bytes of the current member's data
        self._padding = 0
        self._entry: TarEntry | None = None
        self._has_begun = False  # a member was read
        self.offset = 0

    def __iter__(self) -> Iterator[TarEntry]:
        """Yield every member, up to the end mark or the end of the input. Raises CorruptData."""
        while (entry := self._next()) is not None:
            self._entry = entry
            self._has_begun = True
            yield entry

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Yield the current member's data as pairs (offset in the file, bytes)."""
        entry = self._entry
        if entry is None:
            return
        segments = entry.segments
        for start, length in [(0, entry.stored)] if segments is None else segments:
            done = 0
            while done < length:
                data = self._take(min(length - done, _CHUNK))
                self._left -= len(data)
                yield start + done, data
                done += len(data)

    def _next(self) -> TarEntry | None:
        pax: PaxRecords | None = None
        long_name = long_link = None
        while True:
            self._skip_data()
            if self._quick is not None and not (pax or long_name or long_link):
                taken = self._quick()
                self.offset += taken
                self._has_begun |= taken > 0
            block = self._header(required=bool(pax or long_name or long_link))
            if block is None:
                return None
            kind = block[156:157]
            if kind in _PAX_LOCAL:
                pax = parse_pax(self._extension(block))
            elif kind == _LONG_NAME:
                long_name = self._extension(block).partition(b"\0")[0]
            elif kind == _LONG_LINK:
                long_link = self._extension(block).partition(b"\0")[0]
            elif kind in (_PAX_GLOBAL, _VOLUME_LABEL):
                self._extension(block)
            else:
                break
        entry = self._entry_of(block)
        entry.name = entry.name if long_name is None else long_name
        entry.link = entry.link if long_link is None else long_link
        if pax is not None:
            apply_pax(entry, pax)
        self._finish(entry, block, pax)
        return entry

    def _finish(self, entry: TarEntry, block: bytes, pax: PaxRecords | None) -> None:
        """Determine the size and the layout of the data after the header."""
        if entry.kind == "f" and entry.name.endswith(b"/") and block[156:157] == b"\0":
            entry.kind = "d"  # v7 has no type for directories
        if entry.kind != "f":
            entry.size = 0
        stored = entry.size
        if not 0 <= stored <= _SIZE_LIMIT:
            raise CorruptData(f"tar: {text(entry.name)} has an impossible size")
        self._left, self._padding = stored, -stored % BLOCK
        if block[156:157] == b"S":
            size, segments = old_sparse(block, lambda: self._take(BLOCK))
            entry.size, entry.segments = size, segments
        elif entry.kind == "f" and pax is not None and pax.sparse is not None:
            entry.size = pax.sparse.size
            entry.segments = pax.sparse.segments
            if entry.segments is None:
                entry.segments = read_map(lambda: self._take_data(BLOCK))
        entry.stored = self._left
        entry.data_offset = self.offset
        check_entry(entry)
        if entry.segments is not None:
            check_segments(entry)

    def _entry_of(self, block: bytes) -> TarEntry:
        (name, mode, uid, gid, size, mtime, _, kind, link) = _FIELDS.unpack(block)[:9]
        magic, prefix = block[257:265], block[345:500]
        name = name.partition(b"\0")[0]
        if magic[:6] == b"ustar\0" and prefix[0]:
            name = prefix.partition(b"\0")[0] + b"/" + name
        if kind not in _KINDS:
            raise CorruptData(f"tar: {text(name)} has the unknown type {text(kind)}")
        entry = TarEntry(
            name=name,
            kind=_KINDS[kind],
            mode=number(mode) & 0o7777,
            uid=number(uid),
            gid=number(gid),
            mtime_ns=number(mtime) * 10**9,
            size=number(size),
            link=link.partition(b"\0")[0],
        )
        if entry.kind in "cb":
            entry.rdev = (number(block[329:337]), number(block[337:345]))
        return entry

    def _header(self, *, required: bool) -> bytes | None:
        block = self._read(BLOCK)
        self.offset += len(block)
        at_end = not block or block == _ZEROS
        if at_end and not required and (block or self._has_begun):
            return None
        if len(block) < BLOCK or at_end:
            raise CorruptData("tar: the archive is truncated" if self.offset else "tar: no data")
        if not _is_intact(block):
            raise CorruptData("tar: a header is damaged, or this is not a tar archive")
        return block

    def _extension(self, block: bytes) -> bytes:
        size = number(block[124:136])
        if not 0 <= size <= _EXTENSION_LIMIT:
            raise CorruptData("tar: an extended header is too large")
        data = self._take(size)
        self._take(-size % BLOCK)
        return data

    def _skip_data(self) -> None:
        left, padding = self._left, self._padding
        self._left = self._padding = 0
        if self._skip is not None and left:
            self._skip(left)
            self.offset += left
            left = 0
        while left:
            left -= len(self._take(min(left, _CHUNK)))
        # As for Docker's own reader, the input may end here: some of its clients write no padding.
        self.offset += len(self._read(padding)) if padding else 0

    def _take_data(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise CorruptData("tar: a sparse file's map is longer than its data")
        return self._take(size)

    def _take(self, size: int) -> bytes:
        data = self._read(size) if size else b""
        self.offset += len(data)
        if len(data) != size:
            raise CorruptData("tar: the archive is truncated")
        return data


def _is_intact(block: bytes) -> bool:
    summed = block[:148] + b" " * 8 + block[156:]
    digits = block[148:156].strip(b" \0")
    if digits.strip(b"01234567") or not digits:
        return False
    unsigned = sum(summed)
    if int(digits, 8) == unsigned:
        return True
    # Some old programs summed the bytes as signed characters.
    return int(digits, 8) == unsigned - 256 * sum(byte > 127 for byte in summed)

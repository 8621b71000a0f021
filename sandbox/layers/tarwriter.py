r"""Write a tar archive: the ustar headers everybody reads, PAX records for the rest.

Rules: names are bytes and stay as they are. A record is only written for what the
plain header cannot hold, so that an ordinary tree gives an ordinary archive.

Does not know: where entries come from.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.layers.tarstream import TarEntry

_BLOCK = 512
_RECORD = 20 * _BLOCK
_TYPES = {"f": b"0", "h": b"1", "l": b"2", "c": b"3", "b": b"4", "d": b"5", "p": b"6"}
_HEADER = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")
_NAME_LIMIT = 100
_OCTAL_8 = 8**7 - 1
_OCTAL_12 = 8**11 - 1
_ZEROS = bytes(_BLOCK)


class TarWriter:
    """Writes entries through *write*; `close` ends the archive."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Write nothing yet."""
        self._write = write
        self._offset = 0

    def add(self, entry: TarEntry, chunks: Iterable[tuple[int, bytes]] = ()) -> None:
        """Write one member; *chunks* are (offset, data) in order, holes are zeros.

        The member gets exactly ``entry.size`` bytes: a file that changes while it is
        read is cut or filled up.
        """
        records = pax_records(entry)
        if records:
            self._put(_header(b"././@PaxHeader", b"x", size=len(records)))
            self._put_padded(records)
        size = entry.size if entry.kind == "f" else 0
        self._put(_entry_header(entry, size))
        position = 0
        for offset, data in chunks if size else ():
            self._fill(min(offset, size) - position)
            position = max(position, min(offset, size))
            part = data[: size - position]
            self._put(part)
            position += len(part)
        self._fill(size - position)
        self._put(bytes(-size % _BLOCK))

    def close(self) -> None:
        """Write the end mark, filled up to a whole record."""
        self._put(2 * _ZEROS)
        self._put(bytes(-self._offset % _RECORD))

    def _put(self, data: bytes) -> None:
        if data:
            self._write(data)
            self._offset += len(data)

    def _put_padded(self, data: bytes) -> None:
        self._put(data + bytes(-len(data) % _BLOCK))

    def _fill(self, length: int) -> None:
        while length > 0:
            part = min(length, 1 << 20)
            self._put(bytes(part))
            length -= part


def pax_records(entry: TarEntry) -> bytes:
    """Return the extended header of *entry*; empty if the plain one will do."""
    records: list[tuple[bytes, bytes]] = []
    if len(entry.name) > _NAME_LIMIT:
        records.append((b"path", entry.name))
    if len(entry.link) > _NAME_LIMIT:
        records.append((b"linkpath", entry.link))
    if entry.size > _OCTAL_12 and entry.kind == "f":
        records.append((b"size", b"%d" % entry.size))
    if entry.uid > _OCTAL_8:
        records.append((b"uid", b"%d" % entry.uid))
    if entry.gid > _OCTAL_8:
        records.append((b"gid", b"%d" % entry.gid))
    seconds, nanoseconds = divmod(entry.mtime_ns, 10**9)
    if nanoseconds or not 0 <= seconds <= _OCTAL_12:
        records.append((b"mtime", _time(entry.mtime_ns)))
    for name, value in sorted(entry.xattrs.items()):
        records.append((b"SCHILY.xattr." + name, value))
    if any(not _is_utf8(value) for key, value in records if b"path" in key):
        records.insert(0, (b"hdrcharset", b"BINARY"))
    return b"".join(_record(key, value) for key, value in records)


def _time(nanoseconds: int) -> bytes:
    sign, value = (b"-", -nanoseconds) if nanoseconds < 0 else (b"", nanoseconds)
    whole, fraction = divmod(value, 10**9)
    digits = b"%09d" % fraction
    return sign + b"%d" % whole + (b"." + digits if fraction else b"")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _record(key: bytes, value: bytes) -> bytes:
    r"""Return one record; its length counts its own digits.

    >>> _record(b"path", b"x")
    b'9 path=x\n'
    """
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d" % length + body


def _entry_header(entry: TarEntry, size: int) -> bytes:
    seconds = entry.mtime_ns // 10**9
    return _header(
        entry.name,
        _TYPES[entry.kind],
        size=size if size <= _OCTAL_12 else 0,
        mode=entry.mode & 0o7777,
        ids=(
            entry.uid if entry.uid <= _OCTAL_8 else 0,
            entry.gid if entry.gid <= _OCTAL_8 else 0,
        ),
        mtime=seconds if 0 <= seconds <= _OCTAL_12 else 0,
        link=entry.link,
        rdev=entry.rdev,
    )


def _header(
    name: bytes,
    kind: bytes,
    *,
    size: int,
    mode: int = 0o644,
    ids: tuple[int, int] = (0, 0),
    mtime: int = 0,
    link: bytes = b"",
    rdev: tuple[int, int] = (0, 0),
) -> bytes:
    block = bytearray(
        _HEADER.pack(
            name[:_NAME_LIMIT],
            b"%07o" % mode,
            b"%07o" % ids[0],
            b"%07o" % ids[1],
            b"%011o" % size,
            b"%011o" % mtime,
            b" " * 8,
            kind,
            link[:_NAME_LIMIT],
            b"ustar",
            b"00",
            b"",
            b"",
            b"%07o" % rdev[0],
            b"%07o" % rdev[1],
            b"",
        )
    )
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)

# SPDX-License-Identifier: MIT
"""The fields of tar headers: numbers, PAX records, maps of sparse files. Pure.

Sources: POSIX pax (ustar and extended headers), the GNU tar manual (sparse files).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from sandbox.errors import CorruptData

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.layers.tar_entry import Segments, TarEntry

_SEGMENT_LIMIT = 1_000_000
_LINE_LIMIT = 512
_ID_LIMIT = 2**32 - 2
_TIME_LIMIT = 2**63 - 1  # nanoseconds
_DECIMAL = re.compile(rb"(-?)(\d{1,20})(?:\.(\d*))?")
_PAIR = struct.Struct("12s12s")


def text(name: bytes) -> str:
    r"""Return *name* as a printable text of one line, quoted, for a message.

    >>> text(b"a\n\xff")
    "'a\\n\\xff'"
    """
    return repr(name)[1:]


def number(raw: bytes) -> int:
    r"""Return a numeric header field: octal digits, or base 256 for large numbers.

    >>> number(b"0000644\0"), number(b"  17 \0"), number(b"\x80" + bytes(6) + b"\x05")
    (420, 15, 5)
    """
    if raw[0] & 0x80:
        value = int.from_bytes(raw, "big") & ((1 << (8 * len(raw) - 1)) - 1)
        if raw[0] & 0x40:
            value -= 1 << (8 * len(raw) - 1)
        return value
    digits = raw.partition(b"\0")[0].strip(b" ")
    if digits.strip(b"01234567"):
        raise CorruptData("tar: a number in a header is damaged")
    return int(digits, 8) if digits else 0


@dataclass(slots=True)
class PaxSparse:
    """The sparse file in PAX records. Without segments, the map precedes the data."""

    size: int
    segments: Segments | None


@dataclass(slots=True)
class PaxRecords:
    """One parsed extended header."""

    values: dict[bytes, bytes]
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    sparse: PaxSparse | None = None


def parse_pax(data: bytes) -> PaxRecords:
    r"""Return the records ("length key=value\\n") of an extended header. Raises CorruptData.

    >>> parse_pax(b"9 path=x\n").values
    {b'path': b'x'}
    """
    pairs: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(data):
        space = data.find(b" ", position, position + 10)
        digits = data[position:space] if space > 0 else b""
        end = position + int(digits) if digits.isdigit() else 0
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        bad = end > len(data) or data[end - 1 : end] != b"\n"
        if end <= space + 1 or bad or not equals or not key:
            raise CorruptData("tar: an extended header is damaged")
        pairs.append((key, value))
        position = end
    records = PaxRecords(dict(pairs))
    for key, value in records.values.items():
        if key.startswith(b"SCHILY.xattr."):
            records.xattrs[key.removeprefix(b"SCHILY.xattr.")] = value
        elif key.startswith(b"LIBARCHIVE.xattr."):
            name = unquote_to_bytes(key.removeprefix(b"LIBARCHIVE.xattr."))
            records.xattrs.setdefault(name, _base64(value))
    records.sparse = _pax_sparse(records.values, pairs)
    return records


def apply_pax(entry: TarEntry, pax: PaxRecords) -> None:
    """Override the fields of the ustar header with those of the extended header."""
    values = pax.values
    for name in (values.get(b"path"), values.get(b"GNU.sparse.name")):
        if name and b"\0" in name:
            raise CorruptData("tar: a name contains a NUL byte")
        entry.name = name or entry.name
    entry.link = values.get(b"linkpath") or entry.link
    if b"\0" in entry.link:
        raise CorruptData("tar: a link's target contains a NUL byte")
    if size := values.get(b"size"):
        entry.size = _decimal(size)
    if uid := values.get(b"uid"):
        entry.uid = _decimal(uid)
    if gid := values.get(b"gid"):
        entry.gid = _decimal(gid)
    if mtime := values.get(b"mtime"):
        entry.mtime_ns = _nanoseconds(mtime)
    entry.xattrs = pax.xattrs


def check_entry(entry: TarEntry) -> None:
    """Raise CorruptData for an owner or a time outside the range of Linux."""
    if not (0 <= entry.uid <= _ID_LIMIT and 0 <= entry.gid <= _ID_LIMIT):
        raise CorruptData(f"tar: {text(entry.name)} has an impossible owner")
    if abs(entry.mtime_ns) > _TIME_LIMIT:
        raise CorruptData(f"tar: {text(entry.name)} has an impossible time")


def old_sparse(block: bytes, more: Callable[[], bytes]) -> tuple[int, Segments]:
    """Return the size and map of a GNU sparse file (type S) from its header blocks."""
    size = number(block[483:495])
    segments = _pairs(block[386:482])
    extended = block[482]
    while extended:
        following = more()
        segments += _pairs(following[:504])
        extended = following[504]
        if len(segments) > _SEGMENT_LIMIT:
            raise CorruptData("tar: a sparse file has too many parts")
    return size, segments


def read_map(more: Callable[[], bytes]) -> Segments:
    """Return the map before the data of a PAX 1.0 sparse file."""
    numbers: list[int] = []
    rest = b""
    while not numbers or len(numbers) < 1 + 2 * numbers[0]:
        line, newline, tail = rest.partition(b"\n")
        if not newline and len(rest) < _LINE_LIMIT:
            rest += more()
            continue
        numbers.append(_decimal(line))
        rest = tail
        if numbers[0] > _SEGMENT_LIMIT:
            raise CorruptData("tar: a sparse file has too many parts")
    return list(zip(numbers[1::2], numbers[2::2], strict=True))


def check_segments(entry: TarEntry) -> None:
    """Raise CorruptData for a sparse map that overlaps, exceeds the file or its data."""
    segments = entry.segments or []
    end = total = 0
    for offset, length in segments:
        if offset < end or length < 0:
            raise CorruptData(f"tar: the sparse file {text(entry.name)} is damaged")
        end = offset + length
        total += length
    if end > entry.size or total != entry.stored or entry.size >= 2**63:
        raise CorruptData(f"tar: the sparse file {text(entry.name)} is damaged")


def _pairs(raw: bytes) -> Segments:
    pairs = [(number(at), number(length)) for at, length in _PAIR.iter_unpack(raw)]
    return [(at, length) for at, length in pairs if at or length]


def _pax_sparse(values: dict[bytes, bytes], pairs: list[tuple[bytes, bytes]]) -> PaxSparse | None:
    if values.get(b"GNU.sparse.major") == b"1":
        return PaxSparse(_decimal(values.get(b"GNU.sparse.realsize", b"")), None)
    if b"GNU.sparse.size" not in values:
        return None
    if b"GNU.sparse.map" in values:
        joined = values[b"GNU.sparse.map"]
        flat = [_decimal(item) for item in joined.split(b",")] if joined else []
    else:
        keys = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
        flat = [_decimal(value) for key, value in pairs if key in keys]
    if len(flat) % 2:
        raise CorruptData("tar: a sparse file's map is damaged")
    size = _decimal(values[b"GNU.sparse.size"])
    return PaxSparse(size, list(zip(flat[::2], flat[1::2], strict=True)))


def _decimal(raw: bytes) -> int:
    if not raw.isdigit() or len(raw) > 20:
        raise CorruptData("tar: a number in an extended header is damaged")
    return int(raw)


def _nanoseconds(raw: bytes) -> int:
    match = _DECIMAL.fullmatch(raw)
    if match is None:
        raise CorruptData("tar: a time in an extended header is damaged")
    sign, whole, fraction = match.groups()
    value = int(whole) * 10**9 + int((fraction or b"")[:9].ljust(9, b"0"))
    return -value if sign else value


def _base64(value: bytes) -> bytes:
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4))
    except binascii.Error as exc:
        raise CorruptData("tar: an extended attribute is damaged") from exc

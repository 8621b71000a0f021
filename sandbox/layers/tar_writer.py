# SPDX-License-Identifier: MIT
"""Writes a stream of entries as a tar; the same entries always give the same bytes.

Source: POSIX pax.

How it works: headers are ustar. Values that do not fit (long names, large numbers, nanoseconds,
extended attributes) go into a PAX header before them, with sorted records. The first name of a
file gets its data, further names become hard links to it.

Must not know: where entries come from. It writes them in the given order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.errors import CorruptData
from sandbox.layers.tar_fields import text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from sandbox.layers.byte_streams import Readable

_BLOCK = 512
_CHUNK = 256 * 1024
_RECORD = 20 * _BLOCK
_TYPES = {"f": b"0", "h": b"1", "l": b"2", "c": b"3", "b": b"4", "d": b"5", "p": b"6"}
_NANOSECONDS = 10**9


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One file. ``kind`` is a letter of a layer's table: f, d, l, c, b or p."""

    path: bytes  # relative, "." for the top
    kind: str
    mode: int
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    inode: Hashable = None  # equal for all names of one file; None if it has one name
    open: Callable[[], Readable] | None = None


def write_tar(
    entries: Iterable[PackEntry], write: Callable[[bytes], object], *, end: bool = True
) -> None:
    """Write *entries* as a tar. Raises CorruptData if a file shrinks meanwhile."""
    tar = TarWriter(write)
    for entry in entries:
        tar.add(entry)
    if end:
        tar.end()


class TarWriter:
    """A tar that is written one entry at a time."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._known: dict[Hashable, bytes] = {}
        self._total = 0

    def add(self, entry: PackEntry) -> None:
        """Write an entry with its data."""
        if entry.kind not in _TYPES:
            return
        if self.head(entry) and entry.kind == "f":
            reader = entry.open() if entry.open is not None and entry.size else _Nothing()
            for _ in self.data(reader, entry):
                pass

    def head(self, entry: PackEntry) -> bool:
        """Write the header(s); return False for a further name of an earlier file."""
        first = self._known.get(entry.inode) if entry.inode is not None else None
        if entry.inode is not None and first is None:
            self._known[entry.inode] = entry.path
        self._put(_head(entry, first))
        return first is None

    def data(self, reader: Readable, entry: PackEntry) -> Iterator[bytes]:
        """Write the data, exactly as many bytes as the header says, and yield its pieces."""
        left = entry.size
        while left:
            data = reader.read(min(left, _CHUNK))
            if not data:
                raise CorruptData(f"{text(entry.path)} became shorter while it was read")
            self._put(data)
            yield data
            left -= len(data)
        self._put(bytes(-entry.size % _BLOCK))

    def end(self) -> None:
        """Write the end mark."""
        self._put(bytes(2 * _BLOCK + -(self._total + 2 * _BLOCK) % _RECORD))

    def _put(self, data: bytes) -> None:
        self._write(data)
        self._total += len(data)


class _Nothing:
    def read(self, size: int, /) -> bytes:
        del size
        return b""


def _head(entry: PackEntry, first: bytes | None) -> bytes:
    """Return the header(s) of *entry*; *first* is the earlier name of a hard link."""
    path = entry.path
    if entry.kind == "d" and not path.endswith(b"/"):
        path += b"/"
    link = entry.link if entry.kind == "l" else b""
    kind = _TYPES[entry.kind]
    if first is not None:
        kind, link = b"1", first
    size = entry.size if kind == b"0" else 0
    pax: dict[bytes, bytes] = {
        b"SCHILY.xattr." + name: value for name, value in entry.xattrs.items()
    }
    name, prefix = _split(path)
    if len(name) > 100:
        pax[b"path"] = path
    if len(link) > 100:
        pax[b"linkpath"] = link
    for key, value, digits in (
        (b"uid", entry.uid, 7),
        (b"gid", entry.gid, 7),
        (b"size", size, 11),
    ):
        if value >= 8**digits:
            pax[key] = b"%d" % value
    seconds, fraction = divmod(entry.mtime_ns, _NANOSECONDS)
    if fraction or not 0 <= seconds < 8**11:
        pax[b"mtime"] = _decimal_time(entry.mtime_ns)
    head = _ustar(
        name[:100],
        prefix,
        numbers=(entry.mode & 0o7777, entry.uid, entry.gid, size, max(0, seconds)),
        kind=kind,
        link=link[:100],
        rdev=entry.rdev if entry.kind in "cb" else (0, 0),
    )
    return _pax_member(pax) + head if pax else head


def _split(path: bytes) -> tuple[bytes, bytes]:
    """Return (name, prefix) for a ustar header. A name over 100 bytes does not fit."""
    if len(path) <= 100:
        return path, b""
    cut = path.find(b"/", max(0, len(path) - 101))
    if 0 < cut <= 155 and cut < len(path) - 1:
        return path[cut + 1 :], path[:cut]
    return path, b""


def _pax_member(pax: dict[bytes, bytes]) -> bytes:
    body = b"".join(_record(key, pax[key]) for key in sorted(pax))
    head = _ustar(
        b"PaxHeaders/entry",
        b"",
        numbers=(0o644, 0, 0, len(body), 0),
        kind=b"x",
        link=b"",
        rdev=(0, 0),
    )
    return head + body + bytes(-len(body) % _BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _ustar(
    name: bytes,
    prefix: bytes,
    *,
    numbers: tuple[int, int, int, int, int],
    kind: bytes,
    link: bytes,
    rdev: tuple[int, int],
) -> bytes:
    mode, uid, gid, size, mtime = numbers
    head = b"".join(
        [
            name.ljust(100, b"\0"),
            _octal(mode, 8),
            _octal(uid, 8),
            _octal(gid, 8),
            _octal(size, 12),
            _octal(mtime, 12),
            b" " * 8,
            kind,
            link.ljust(100, b"\0"),
            b"ustar\x0000",
            bytes(64),
            _octal(rdev[0], 8),
            _octal(rdev[1], 8),
            prefix.ljust(155, b"\0"),
            bytes(12),
        ]
    )
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def _octal(value: int, width: int) -> bytes:
    """Return a numeric field. A value that does not fit becomes 0; the PAX header has it."""
    limit = 8 ** (width - 1)
    return b"%0*o\0" % (width - 1, value if 0 <= value < limit else 0)


def _decimal_time(nanoseconds: int) -> bytes:
    seconds, fraction = divmod(abs(nanoseconds), _NANOSECONDS)
    sign = "-" if nanoseconds < 0 else ""
    digits = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{sign}{seconds}{digits}".encode()

# SPDX-License-Identifier: MIT
"""Byte streams on their way into the store: counts, hashes and decompresses them.

Rules: the first bytes decide the compression, never a name. Exceptions that decoders raise for
bad data become CorruptData.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol

from sandbox.errors import CorruptData, DigestMismatch, SandboxError, StoreFull, Unsupported
from sandbox.layers.memory_budget import Memory
from sandbox.models.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.layers.memory_budget import Share

_HEAD = 6
_TOO_MUCH = ("Memory usage limit exceeded", "requires too much memory")  # xz, zstd
_CHUNK = 256 * 1024


class Readable(Protocol):
    """An object with read(), which may return fewer bytes than requested."""

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes; b"" at the end."""


class HashingReader:
    """A reader that returns exactly as many bytes as requested, and hashes them."""

    def __init__(
        self,
        source: Readable,
        *,
        limit: int | None = None,
        copy: Callable[[bytes], object] | None = None,
    ) -> None:
        self._source = source
        self._copy = copy
        self._hash = hashlib.sha256()
        self._limit = limit
        self.count = 0

    def read(self, size: int, /) -> bytes:
        """Return *size* bytes, fewer only at the end. Raises StoreFull above the limit."""
        with decoder_errors():
            data = read_fully(self._source, size)
        self._hash.update(data)
        self.count += len(data)
        if self._copy is not None:
            self._copy(data)
        if self._limit is not None and self.count > self._limit:
            raise StoreFull(
                f"the archive unpacks to more than the {self._limit} bytes of free space"
            )
        return data

    def drain(self) -> None:
        """Read and hash the rest."""
        while self.read(_CHUNK):
            pass

    @property
    def digest(self) -> Digest:
        """The digest of the bytes read so far."""
        return Digest("sha256:" + self._hash.hexdigest())

    def verify(self, *, digest: Digest | None, size: int | None, what: str) -> None:
        """Read to the end. Raises DigestMismatch if the digest or the size in bytes differs."""
        if size is not None:
            while self.count <= size and self.read(_CHUNK):
                pass
            if self.count != size:
                raise DigestMismatch(f"{what}: {_not_bytes(self.count, size)}")
        self.drain()
        if digest is not None and self.digest != digest:
            raise DigestMismatch(f"{what}: content is {self.digest}, not {digest}")


def _not_bytes(count: int, size: int) -> str:
    return f"size is {'more than' if count > size else 'less than'} the expected {size}"


def decompressed(source: Readable, share: Share | None = None) -> Readable:
    """Return *source*, decompressed if it is gzip, bzip2, xz or zstd.

    Decoders ask *share* for memory; without it they may use the whole budget.
    """
    head = read_fully(source, _HEAD)
    raw = io.BufferedReader(_Rejoined(head, source), _CHUNK)
    for magics, opener in _FORMATS:
        if head.startswith(magics):
            return opener(raw, share or Memory().share())
    return raw


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Convert the exceptions of decoders about bad data into CorruptData."""
    try:
        yield
    except EOFError as exc:
        raise CorruptData("the compressed data is truncated") from exc
    except (gzip.BadGzipFile, lzma.LZMAError, zlib.error) as exc:
        raise _refused(exc) from exc
    except Exception as exc:
        # isal and backports.zstd each have their own exception class.
        if type(exc).__name__ in _FOREIGN:
            raise _refused(exc) from exc
        raise


def _refused(exc: Exception) -> SandboxError:
    if any(words in str(exc) for words in _TOO_MUCH):
        return Unsupported("the compressed data needs more memory than its header declares")
    return CorruptData(f"the compressed data is damaged: {exc}")


_FOREIGN = frozenset({"IsalError", "ZstdError"})


class _Rejoined(io.RawIOBase):
    """A stream of bytes that were already read, followed by the rest."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._head or self._rest.read(len(buffer))
        taken = data[: len(buffer)]
        self._head = data[len(taken) :] if self._head else b""
        buffer[: len(taken)] = taken
        return len(taken)


def read_fully(source: Readable, size: int) -> bytes:
    """Return *size* bytes, fewer only at the end."""
    data = source.read(size)
    if len(data) == size or not data:
        return data
    parts = [data]
    left = size - len(data)
    while left and (data := source.read(left)):
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def _gzip(raw: IO[bytes], _: Share) -> Readable:
    try:
        from isal import igzip
    except ImportError:
        return gzip.GzipFile(fileobj=raw, mode="rb")
    opener: Any = igzip.IGzipFile  # ships no types
    stream: Readable = opener(fileobj=raw, mode="rb")
    return stream


def _bzip2(raw: IO[bytes], _: Share) -> Readable:
    import bz2

    return _Bzip2Errors(bz2.BZ2File(raw))


class _Bzip2Errors:
    """Converts the bare OSError that bz2 raises for bad data into CorruptData."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def read(self, size: int, /) -> bytes:
        try:
            return self._source.read(size)
        except OSError as exc:
            if exc.errno is not None:
                raise
            raise CorruptData(f"the compressed data is damaged: {exc}") from exc


def _xz(raw: IO[bytes], share: Share) -> Readable:
    from sandbox.layers.decoders import Xz

    return Xz(raw, share)


def _zstd(raw: IO[bytes], share: Share) -> Readable:
    from sandbox.layers.decoders import Zstd

    return Zstd(raw, share)


_FORMATS: tuple[tuple[tuple[bytes, ...], Callable[[IO[bytes], Share], Readable]], ...] = (
    ((b"\x1f\x8b",), _gzip),
    ((b"BZh",), _bzip2),
    ((b"\xfd7zXZ\x00",), _xz),
    ((b"\x28\xb5\x2f\xfd", *(bytes((0x50 + n, 0x2A, 0x4D, 0x18)) for n in range(16))), _zstd),
)

# SPDX-License-Identifier: MIT
"""Keeps the blob of a layer while it is unpacked.

How it works: gzip and zstd blobs are copied unchanged. A plain tar, or a compression that
registries refuse, is compressed with gzip: it decompresses to the same tar, and takes about a
third of the space.

Must not know: where the finished blob goes.
"""

from __future__ import annotations

import gzip
import hashlib
from typing import IO, TYPE_CHECKING, Any

from sandbox.layers.byte_streams import read_fully
from sandbox.models import oci

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.layers.byte_streams import Readable

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
_HEAD = 6
_LEVEL = 1  # of isal: compresses about as well as zlib's level 3, ten times as fast


class BlobKeeper:
    """Copies a layer's blob into the new file *path*; close() it after use.

    ``source`` is the layer as it arrives, and must be read to its end. If it is not a blob that
    registries accept, ``sink`` must be fed the uncompressed bytes.
    """

    def __init__(self, source: Readable, path: Path) -> None:
        self._file = path.open("xb")
        self._hash = hashlib.sha256()
        self._size = 0
        self._packer: Any = None
        self._inner = source
        head = read_fully(source, _HEAD)
        self._head = head
        kinds = [kind for magic, kind in _MAGIC.items() if head.startswith(magic)]
        self.media_type = kinds[0] if kinds else GZIP
        if not kinds:
            self._packer = _compressor(_Sink(self))

    def read(self, size: int, /) -> bytes:
        """Return the next bytes of the source; copy them if they belong to the blob."""
        data, self._head = self._head[:size], self._head[size:]
        data = data or self._inner.read(size)
        if self._packer is None:
            self.put(data)
        return data

    def feed(self, data: bytes) -> None:
        """Compress bytes of the tar into the blob; they must come in order."""
        if self._packer is not None:
            self._packer.write(data)

    def put(self, data: bytes) -> None:
        """Append bytes to the blob."""
        self._file.write(data)
        self._hash.update(data)
        self._size += len(data)

    def finish(self) -> oci.Descriptor:
        """Complete the file and return its descriptor."""
        if self._packer is not None:
            self._packer.close()
        self._file.flush()
        return oci.Descriptor(
            media_type=self.media_type,
            digest=f"sha256:{self._hash.hexdigest()}",
            size=self._size,
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Sink:
    """The file object that a compressor writes to."""

    def __init__(self, keeper: BlobKeeper) -> None:
        self._keeper = keeper

    def write(self, data: Any, /) -> int:
        self._keeper.put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is no buffer."""


def _compressor(sink: _Sink) -> IO[bytes]:
    target: Any = sink
    try:
        from isal import igzip
    except ImportError:
        plain: Any = gzip.GzipFile("", "wb", 6, target, mtime=0)
        return _as_file(plain)
    opener: Any = igzip.IGzipFile  # ships no types
    return _as_file(opener("", "wb", _LEVEL, target, mtime=0))


def _as_file(compressor: Any) -> IO[bytes]:
    file: IO[bytes] = compressor
    return file

# SPDX-License-Identifier: MIT
"""Where the files of an image archive come from: a directory or a tar.

Rules: a source is read by name, in any order, any number of times. Names are taken
from the archive and never lead out of it.
"""

from __future__ import annotations

import io
import os
import posixpath
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from sandbox.errors import CorruptData, map_os_errors
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.layers.tar_reader import TarStream
from sandbox.layers.unpack import free_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sandbox.layers.byte_streams import Readable

_HOPS = 8  # links between the files of a legacy archive
_CHUNK = 1024 * 1024
_TAR_MAGIC = slice(257, 262)


class Source(Protocol):
    """The files of one image archive."""

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """Give a reader of the file for the length of a block."""


def read_document(source: Source, name: str, *, limit: int) -> bytes:
    """Return a whole small file."""
    with source.open(name) as reader:
        data = HashingReader(reader).read(limit + 1)
    if len(data) > limit:
        raise CorruptData(f"{name}: too large for what it should be")
    return data


class DirectorySource:
    """An OCI image layout (or an unpacked archive) in a directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return (self._path / _inside(name)).is_file()

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """Give a reader of the file for the length of a block."""
        path = self._path / _inside(name)
        with map_os_errors(f"cannot read {path}"):
            if not path.is_file():
                raise CorruptData(f"{name} is missing from {self._path}")
            file = path.open("rb")
        with file:
            yield file


class TarSource:
    """A seekable, uncompressed tar; the file stays the caller's."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._files: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        self._index()

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return self._resolve(name) in self._files

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """Give a reader of the file for the length of a block."""
        found = self._files.get(self._resolve(name))
        if found is None:
            raise CorruptData(f"{name} is missing from the archive")
        yield _Window(self._file, *found)

    def _index(self) -> None:
        end = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        stream = TarStream(self._file.read, skip=self._skip)
        for member in stream:
            name = posixpath.normpath(os.fsdecode(member.name))
            if stream.offset + member.stored > end:
                raise CorruptData("tar: the archive is truncated")
            if member.kind == "f" and member.segments is None:
                self._files[name] = (member.data_offset, member.stored)
            elif member.kind == "l":
                target = posixpath.join(posixpath.dirname(name), _text(member.link))
                self._links[name] = posixpath.normpath(target)
            elif member.kind == "h":
                self._links[name] = posixpath.normpath(_text(member.link))

    def _skip(self, size: int) -> None:
        self._file.seek(size, io.SEEK_CUR)

    def _resolve(self, name: str) -> str:
        name = _inside(name)
        for _ in range(_HOPS):
            if name not in self._links:
                break
            name = self._links[name]
        return name


@contextmanager
def tar_source(file: IO[bytes], scratch: Path) -> Iterator[TarSource]:
    """Give a tar, compressed or not, from a file or a pipe, as a source.

    What cannot be sought in is copied into *scratch* first.
    """
    if file.seekable():
        start = file.read(512)
        file.seek(0)
        if start[_TAR_MAGIC] == b"ustar":
            yield TarSource(file)
            return
    reader = HashingReader(decompressed(file), limit=free_bytes(scratch))
    with (scratch / "archive.tar").open("w+b") as spooled:
        with map_os_errors("cannot copy the archive into the store"):
            while chunk := reader.read(_CHUNK):
                spooled.write(chunk)
            spooled.flush()
        yield TarSource(spooled)


def _text(raw: bytes) -> str:
    return os.fsdecode(raw)


def _inside(name: str) -> str:
    path = posixpath.normpath(name)
    if path.startswith(("/", "../")) or path == ".." or "\0" in path:
        raise CorruptData(f"the archive names a file outside itself: {name!r}")
    return path


class _Window:
    """A part of a file, read without moving anybody else's position."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file = file
        self._offset = offset
        self._left = size

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._offset)
        data = self._file.read(min(size, self._left))
        self._offset += len(data)
        self._left -= len(data)
        return data

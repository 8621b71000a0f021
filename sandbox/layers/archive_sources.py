# SPDX-License-Identifier: MIT
"""The files of an image archive, read from a directory or a tar.

Rules: files can be read by name, in any order, any number of times. Names come from the archive,
and never reach a file outside it.
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

_HOPS = 8  # links to follow between the files of a legacy docker archive
_CHUNK = 1024 * 1024
_TAR_MAGIC = slice(257, 262)


class Source(Protocol):
    """The files of one image archive."""

    def has(self, name: str) -> bool:
        """Return whether the archive has a file *name*."""

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """Give a reader of a file until the block ends. Raises CorruptData if it is missing."""


def read_document(source: Source, name: str, *, limit: int) -> bytes:
    """Return the content of a small file. Raises CorruptData above *limit* bytes."""
    with source.open(name) as reader:
        data = HashingReader(reader).read(limit + 1)
    if len(data) > limit:
        raise CorruptData(f"{name}: larger than the {limit} bytes allowed for such a file")
    return data


class DirectorySource:
    """An OCI image layout (or an unpacked archive) in a directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        """Return whether the directory has a file *name*."""
        return (self._path / _inside(name)).is_file()

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """Give a reader of a file until the block ends."""
        path = self._path / _inside(name)
        with map_os_errors(f"cannot read {path}"):
            if not path.is_file():
                raise CorruptData(f"{name} is missing from {self._path}")
            file = path.open("rb")
        with file:
            yield file


class TarSource:
    """A seekable, uncompressed tar. The caller closes the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._files: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        self._index()

    def has(self, name: str) -> bool:
        """Return whether the tar has a member *name*."""
        return self._resolve(name) in self._files

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """Give a reader of a member until the block ends."""
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
    """Give a source for a tar in a file or a pipe, compressed or not.

    A tar that is compressed or not seekable is copied into *scratch* first.
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
    """A part of a file; reading it does not move the file's position."""

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

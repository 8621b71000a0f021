# SPDX-License-Identifier: MIT
"""Downloads one blob into the store: hashes it on the way, resumes after a break.

How it works: bytes go to ``downloads/<hex>``. A lock on that file makes other processes wait
if they want the same blob. After a broken connection, or in a later run, a Range request
fetches the rest. A complete, correct file is handed to the caller; a wrong one is deleted.

Rules: a thread holds one such lock at a time, which rules out deadlocks. At most the promised
size is written.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from sandbox.errors import (
    DigestMismatch,
    NotFound,
    RegistryError,
    SandboxError,
    TransportFailed,
    map_os_errors,
)
from sandbox.models.digest import hex_of, parse_digest, short_id
from sandbox.store.blobs import is_whole
from sandbox.store.lock import acquire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sandbox.models.digest import Digest
    from sandbox.models.oci import Descriptor
    from sandbox.registry.client import Repository
    from sandbox.registry.transport import Transport
    from sandbox.store.layout import Layout

_CHUNK = 1024 * 1024
_MOST_ATTEMPTS = 50
_SLOWEST = 256  # bytes a second
_PROGRESS = 16 * 1024  # bytes; an attempt that brings less counts as one without progress


class OnProgress(Protocol):
    """A function that is told the progress of something: *done* of *total* bytes."""

    def __call__(self, name: str, status: str, done: int = 0, total: int = 0) -> None:
        """Report that *name* is in the state *status*."""


@contextmanager
def downloaded(
    layout: Layout,
    descriptor: Descriptor,
    sources: Sequence[Repository],
    *,
    transport: Transport,
    progress: OnProgress,
) -> Iterator[Path]:
    """Give the path of a complete, verified blob until the block ends.

    The block may move the file away. If another process has stored the blob meanwhile, the path
    is the one in the store. Raises DigestMismatch, RegistryError, StoreError.
    """
    digest = parse_digest(descriptor.digest)
    fd = _open_locked(layout, digest)
    try:
        place = layout.blob(digest)
        if place.exists() and _is_sound(layout, digest):
            layout.download(digest).unlink(missing_ok=True)
            yield place
            return
        _Download(fd, digest, descriptor.size, progress).run(sources, transport)
        yield layout.download(digest)
    except DigestMismatch:
        layout.download(digest).unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def _is_sound(layout: Layout, digest: Digest) -> bool:
    """Return whether the store's copy of a blob is intact; delete a damaged copy."""
    path = layout.blob(digest)
    try:
        if is_whole(layout, digest):
            return True
    except SandboxError:
        if path.exists():
            raise
        return False  # another process removed it
    with map_os_errors(f"cannot remove the damaged blob {digest}"):
        path.unlink(missing_ok=True)
    return False


def drop_downloads(layout: Layout, digests: Iterable[Digest]) -> None:
    """Delete partial downloads of these blobs, except those that another process works on."""
    for digest in digests:
        path = layout.download(digest)
        with suppress(OSError):
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if acquire(fd, wait=False):
                    path.unlink()
            finally:
                os.close(fd)


def _open_locked(layout: Layout, digest: Digest) -> int:
    """Open the download's file and take its lock."""
    path = layout.download(digest)
    with map_os_errors(f"cannot write {path}"):
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            acquire(fd)
            try:
                if os.path.samestat(os.fstat(fd), path.lstat()):
                    return fd
            except FileNotFoundError:
                pass
            os.close(fd)  # the previous owner of the lock moved the file into the store


class _Attempts:
    """Decides which source to try next, and when to give up.

    Each source but the last is tried once. The last is tried repeatedly, while its failures
    may be temporary.
    """

    def __init__(self, sources: int, transport: Transport) -> None:
        self.source = 0
        self._sources = sources
        self._transport = transport
        self._fruitless = 0
        self._all = 0

    def failed(self, exc: SandboxError, *, progressed: bool) -> None:
        """Record a failure, and wait before the next attempt. Raises *exc* to give up."""
        self._all += 1
        if self.source < self._sources - 1:
            self.source += 1
            return
        self._fruitless = 0 if progressed else self._fruitless + 1
        if (
            not isinstance(exc, TransportFailed)
            or self._fruitless > self._transport.retries
            or self._all > _MOST_ATTEMPTS
        ):
            raise exc
        self._transport.pause(self._fruitless)


class _Pace:
    """Detects a server that sends too slowly."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._count = 0

    def check(self, count: int) -> None:
        """Record *count* bytes. Raises TransportFailed if too few came in the last period."""
        self._count += count
        now = time.monotonic()
        if now - self._since < self._patience:
            return
        if self._count < _SLOWEST * self._patience:
            raise TransportFailed(
                f"received only {self._count} bytes in {self._patience:.0f} seconds"
            )
        self._since, self._count = now, 0


class _Download:
    """The download of one blob into one file."""

    def __init__(self, fd: int, digest: Digest, size: int, progress: OnProgress) -> None:
        self._fd = fd
        self._digest = digest
        self._size = size
        self._tell: Callable[[], None] = lambda: progress(
            short_id(digest), "Downloading", self._done, size
        )
        self._hash = hashlib.sha256()
        self._done = 0

    def run(self, sources: Sequence[Repository], transport: Transport) -> None:
        """Download the missing bytes, from the first source that has them."""
        with map_os_errors(f"cannot store the blob {self._digest}"):
            self._take_up()
        if self._done > self._size:
            self._restart()
        attempts = _Attempts(len(sources), transport)
        while self._done < self._size:
            before = self._done
            try:
                self._fetch(sources[attempts.source], transport.timeout)
            except (RegistryError, NotFound) as exc:
                attempts.failed(exc, progressed=self._done - before >= _PROGRESS)
        self._check()

    def _take_up(self) -> None:
        """Hash the bytes that an earlier run left."""
        while data := os.pread(self._fd, _CHUNK, self._done):
            self._hash.update(data)
            self._done += len(data)

    def _restart(self) -> None:
        self._hash = hashlib.sha256()
        self._done = 0
        with map_os_errors(f"cannot store the blob {self._digest}"):
            os.ftruncate(self._fd, 0)

    def _fetch(self, source: Repository, patience: float) -> None:
        answer, start = source.open_blob(self._digest, self._done)
        try:
            if start != self._done:
                self._restart()
            self._tell()
            pace = _Pace(patience)
            while data := answer.read(_CHUNK):
                pace.check(len(data))
                if self._done + len(data) > self._size:
                    raise DigestMismatch(
                        f"blob {self._digest}: size is more than the {self._size} promised"
                    )
                self._write(data)
                self._tell()
        finally:
            answer.close()
        if self._done < self._size:
            raise TransportFailed(
                f"blob {self._digest}: received only {self._done} of {self._size} bytes"
            )

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        with map_os_errors(f"cannot store the blob {self._digest}"):
            while view:
                count = os.pwrite(self._fd, view, self._done)
                self._hash.update(view[:count])
                self._done += count
                view = view[count:]

    def _check(self) -> None:
        if self._hash.hexdigest() != hex_of(self._digest):
            raise DigestMismatch(f"blob {self._digest}: content is sha256:{self._hash.hexdigest()}")

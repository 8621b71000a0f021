# SPDX-License-Identifier: MIT
"""Uploads one blob to a repository, if the repository does not have it.

How it works: ask whether the blob is there; else ask to mount it from a repository of the same
registry that may have it; else send it in parts. After a broken connection, ask the registry
how much arrived, and send the rest. If the registry reports damaged data or no longer knows
the upload, send the whole blob again.
"""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

from sandbox.errors import NotFound, RegistryError, TransportFailed, UploadRefused, map_os_errors
from sandbox.models.digest import parse_digest, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sandbox.models.digest import Digest
    from sandbox.models.oci import Descriptor
    from sandbox.registry.client import Repository
    from sandbox.registry.download import OnProgress
    from sandbox.registry.transport import Transport

PART = 32 * 1024 * 1024
_MONOLITHIC = 1024 * 1024
_CHUNK = 256 * 1024


def ensure_blob(
    target: Repository,
    descriptor: Descriptor,
    path: Path,
    *,
    known: Sequence[str],
    transport: Transport,
    progress: OnProgress,
) -> None:
    """Make the repository hold the blob in *path*; *known* repositories may have it already."""
    digest = parse_digest(descriptor.digest)
    if present(target, digest, known=known, progress=progress):
        return
    _send_with_retries(
        target,
        digest,
        lambda: _upload(target, descriptor, path, transport, progress),
        transport=transport,
    )
    progress(short_id(digest), "Pushed")


def _send_with_retries(
    target: Repository, digest: Digest, send: Callable[[], None], *, transport: Transport
) -> None:
    """Send a blob; start again after a failure that may be temporary.

    Damage in transit may be temporary once. The second time, the local blob is damaged.
    """
    refused = 0
    for attempt in range(transport.retries + 1):
        try:
            send()
        except (TransportFailed, NotFound, UploadRefused) as exc:  # NotFound: unknown upload
            refused += isinstance(exc, UploadRefused)
            if attempt == transport.retries or refused > 1:
                raise
            transport.pause(attempt)
            if not target.has_blob(digest):
                continue
        return


def _upload(
    target: Repository,
    descriptor: Descriptor,
    path: Path,
    transport: Transport,
    progress: OnProgress,
) -> None:
    digest = parse_digest(descriptor.digest)
    location = target.start_upload()
    if location is None:
        return
    if descriptor.size <= _MONOLITHIC:
        with map_os_errors(f"cannot read {path}"):
            data = path.read_bytes()
        target.finish_upload(location, digest, data)
    else:
        sender = _Sender(target, location, path, descriptor.size, progress)
        target.finish_upload(sender.run(digest, transport), digest)


def present(
    target: Repository, digest: Digest, *, known: Sequence[str], progress: OnProgress
) -> bool:
    """Return whether the repository has the blob, if necessary after mounting it."""
    if target.has_blob(digest):
        progress(short_id(digest), "Layer already exists")
        return True
    for source in known:
        if source == target.path:
            continue
        try:
            location = target.start_upload(digest, source)
        except RegistryError:
            continue
        if location is None:
            progress(short_id(digest), f"Mounted from {source}")
            return True
    return False


def send_bytes(target: Repository, data: bytes, *, transport: Transport) -> None:
    """Upload the small blob *data*, if the repository does not have it."""
    digest = parse_digest("sha256:" + hashlib.sha256(data).hexdigest())

    def send() -> None:
        location = target.start_upload()
        if location is not None:
            target.finish_upload(location, digest, data)

    if not target.has_blob(digest):
        _send_with_retries(target, digest, send, transport=transport)


class _Sender:
    """One upload in parts."""

    def __init__(
        self, target: Repository, location: str, path: Path, size: int, progress: OnProgress
    ) -> None:
        self._target = target
        self._location = location
        self._path = path
        self._size = size
        self._progress = progress
        self._name = ""

    def run(self, digest: Digest, transport: Transport) -> str:
        """Send everything, and return the location that finishes the upload."""
        self._name = short_id(digest)
        offset, failures = 0, 0
        with map_os_errors(f"cannot read {self._path}"), self._path.open("rb") as file:
            while offset < self._size:
                length = min(PART, self._size - offset)
                try:
                    self._location = self._target.send_part(
                        self._location, self._part(file, offset, length), offset, length
                    )
                    offset += length
                    failures = 0
                except TransportFailed:
                    failures += 1
                    if failures > transport.retries:
                        raise
                    transport.pause(failures)
                    offset = self._resume()
        return self._location

    def _resume(self) -> int:
        self._location, offset = self._target.upload_progress(self._location)
        return min(offset, self._size)

    def _part(self, file: IO[bytes], offset: int, length: int) -> _Part:
        return _Part(file, offset, length, self)

    def tell(self, done: int) -> None:
        """Report how many bytes are sent."""
        self._progress(self._name, "Pushing", done, self._size)


class _Part:
    """Opens one part of a file, once for each time it is sent."""

    def __init__(self, file: IO[bytes], offset: int, length: int, sender: _Sender) -> None:
        self._file = file
        self._offset = offset
        self._length = length
        self._sender = sender

    def __call__(self) -> Iterator[bytes]:
        """Return the bytes of the part in pieces."""
        self._file.seek(self._offset)
        left = self._length
        while left and (data := self._file.read(min(left, _CHUNK))):
            left -= len(data)
            yield data
            self._sender.tell(self._offset + self._length - left)

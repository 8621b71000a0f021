# SPDX-License-Identifier: MIT
"""Blobs: content that is found, and verified, by its digest.

Small blobs are documents, and are always present. The blobs of layers may be missing: see
docs/decisions/0005-layers-are-kept-twice.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import CorruptData, DigestMismatch, map_os_errors
from sandbox.models.digest import Digest, digest_of
from sandbox.store.atomic_files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.store.layout import Layout

_SIZE_LIMIT = 16 * 1024 * 1024  # bytes of a document


def write_blob(layout: Layout, data: bytes) -> Digest:
    """Store *data* and return its digest. The caller holds the store's lock."""
    digest = digest_of(data)
    path = layout.blob(digest)
    if not path.exists() or path.read_bytes() != data:
        write_atomic(path, data, layout=layout)
    return digest


def read_blob(layout: Layout, digest: Digest) -> bytes:
    """Return the content of a small blob. Raises CorruptData, DigestMismatch."""
    path = layout.blob(digest)
    with map_os_errors(f"cannot read {path}"):
        try:
            with path.open("rb") as file:
                data = file.read(_SIZE_LIMIT + 1)
        except FileNotFoundError:
            raise CorruptData(
                f"the blob {digest} is missing from the store (see 'sandbox system fsck')"
            ) from None
    if digest_of(data) != digest:
        raise DigestMismatch(f"the blob {digest} in the store is damaged")
    return data


def adopt_blob(layout: Layout, digest: Digest, path: Path) -> bool:
    """Move the verified blob *path* into the store; return False if it was there already.

    The caller holds the store's lock.
    """
    target = layout.blob(digest)
    if target.exists():
        return False
    with map_os_errors(f"cannot add the blob {digest}"):
        path.rename(target)
    return True


def is_whole(layout: Layout, digest: Digest) -> bool:
    """Return whether a blob of any size has the content of its digest."""
    import hashlib

    path = layout.blob(digest)
    with map_os_errors(f"cannot read {path}"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == path.name

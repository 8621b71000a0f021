"""Content by digest: what is read is what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import CorruptData, DigestMismatch, map_os_errors
from sandbox.models.digest import Digest, digest_of
from sandbox.store.files import write_atomic

if TYPE_CHECKING:
    from sandbox.store.layout import Layout

_SIZE_LIMIT = 16 * 1024 * 1024  # of a document; layers are no blobs here


def write_blob(layout: Layout, data: bytes) -> Digest:
    """Store *data*; the caller holds the store's lock."""
    digest = digest_of(data)
    path = layout.blob(digest)
    if not path.exists() or path.read_bytes() != data:
        write_atomic(path, data, layout=layout)
    return digest


def read_blob(layout: Layout, digest: Digest) -> bytes:
    """Return the content with this digest, checked."""
    path = layout.blob(digest)
    with map_os_errors(f"cannot read {path}"):
        try:
            with path.open("rb") as file:
                data = file.read(_SIZE_LIMIT + 1)
        except FileNotFoundError:
            raise CorruptData(
                f"the store lost the content {digest} ('sandbox system fsck' says more)"
            ) from None
    if digest_of(data) != digest:
        raise DigestMismatch(f"the store's content {digest} is damaged")
    return data

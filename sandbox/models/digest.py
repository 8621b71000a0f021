# SPDX-License-Identifier: MIT
"""Content digests, and the ids that are computed from them.

Must not know: where content is stored.
"""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NewType

from sandbox.errors import CorruptData

if TYPE_CHECKING:
    from collections.abc import Iterable

Digest = NewType("Digest", str)
"""A valid digest: ``sha256:`` and 64 lower-case hexadecimal digits."""

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def parse_digest(text: str) -> Digest:
    """Return *text* as a digest. Raises CorruptData.

    >>> parse_digest("sha256:" + "0" * 64)[:10]
    'sha256:000'
    """
    if not _SHA256.fullmatch(text):
        raise CorruptData(f"invalid or unsupported digest {text!r}")
    return Digest(text)


def digest_of(data: bytes) -> Digest:
    """Return the digest of *data*."""
    return Digest("sha256:" + _sha256()(data).hexdigest())


def _sha256() -> Any:
    """Return the interpreter's own SHA-256: hashlib's loads OpenSSL, which takes 3 ms."""
    for name in ("_sha2", "_sha256"):  # the newer name first
        with suppress(ImportError):
            return importlib.import_module(name).sha256
    import hashlib

    return hashlib.sha256


def hex_of(digest: Digest) -> str:
    """Return the hexadecimal part, which names the content on disk."""
    return digest.partition(":")[2]


def short_id(digest: Digest) -> str:
    """Return the twelve digits that Docker shows.

    >>> short_id(digest_of(b""))
    'e3b0c44298fc'
    """
    return hex_of(digest)[:12]


def chain_ids(diff_ids: Iterable[Digest]) -> list[Digest]:
    """Return the chain id of each layer: the id of the stack up to it (OCI image spec)."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(digest_of(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return chain

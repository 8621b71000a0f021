# SPDX-License-Identifier: MIT
"""The blob of a layer is kept unchanged."""

from __future__ import annotations

import gzip
import hashlib
import io
from pathlib import Path

import pytest

from sandbox.layers.original_blob import GZIP, ZSTD, BlobKeeper

try:
    from compression import zstd
except ImportError:
    from backports import zstd

DATA = b"some tar" * 1000


@pytest.mark.parametrize(
    ("blob", "kind"),
    [(gzip.compress(DATA, mtime=0), GZIP), (zstd.compress(DATA), ZSTD)],
    ids=["gzip", "zstd"],
)
def test_a_blob_that_registries_accept_is_kept_byte_for_byte(
    tmp_path: Path, blob: bytes, kind: str
) -> None:
    keeper = BlobKeeper(io.BytesIO(blob), tmp_path / "blob")
    keeper.feed(b"of no interest")
    assert b"".join(iter(lambda: keeper.read(100), b"")) == blob
    found = keeper.finish()
    keeper.close()
    assert (tmp_path / "blob").read_bytes() == blob
    assert (found.media_type, found.size) == (kind, len(blob))
    assert found.digest == f"sha256:{hashlib.sha256(blob).hexdigest()}"


def test_a_plain_tar_is_always_compressed_to_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        keeper = BlobKeeper(io.BytesIO(DATA), tmp_path / f"blob{number}")
        while piece := keeper.read(1000):
            keeper.feed(piece)
        found.append(keeper.finish())
        keeper.close()
    assert gzip.decompress((tmp_path / "blob0").read_bytes()) == DATA
    assert found[0].media_type == GZIP
    assert found[0].digest == found[1].digest

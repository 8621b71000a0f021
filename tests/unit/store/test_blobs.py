# SPDX-License-Identifier: MIT
from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import CorruptData, DigestMismatch
from sandbox.models.digest import digest_of
from sandbox.store.blobs import read_blob, write_blob
from sandbox.store.layout import Layout


def test_only_unchanged_content_is_returned(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.prepare()
    digest = write_blob(layout, b"content")
    assert read_blob(layout, digest) == b"content"
    layout.blob(digest).write_bytes(b"changed")
    with pytest.raises(DigestMismatch):
        read_blob(layout, digest)
    assert write_blob(layout, b"content") == digest
    assert read_blob(layout, digest) == b"content"


def test_a_missing_blob_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CorruptData, match="is missing from the store"):
        read_blob(Layout(tmp_path), digest_of(b"x"))

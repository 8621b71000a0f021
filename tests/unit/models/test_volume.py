# SPDX-License-Identifier: MIT
"""Where the parts of a volume lie."""

from __future__ import annotations

from sandbox.models.volume import Volume


def test_the_files_and_their_owners_lie_in_the_volumes_directory() -> None:
    volume = Volume("data", "/store/volumes/data", "2026-01-01T00:00:00Z")
    assert volume.data == "/store/volumes/data/_data"
    assert volume.owners == "/store/volumes/data/owners.jsonl"
    assert not volume.anonymous

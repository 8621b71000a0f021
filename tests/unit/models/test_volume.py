# SPDX-License-Identifier: MIT
"""Paths of the parts of a volume."""

from __future__ import annotations

from sandbox.models.volume import Volume


def test_files_and_owners_are_in_the_volumes_directory() -> None:
    volume = Volume("data", "/store/volumes/data", "2026-01-01T00:00:00Z")
    assert volume.data == "/store/volumes/data/_data"
    assert volume.owners == "/store/volumes/data/owners.jsonl"
    assert not volume.anonymous

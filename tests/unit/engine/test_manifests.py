# SPDX-License-Identifier: MIT
"""Manifest lists that have not been pushed."""

from __future__ import annotations

import msgspec
import pytest

from sandbox.engine.manifests import ListEntry
from sandbox.errors import Conflict, NotFound
from sandbox.models import oci
from tests.harness.store import Store

DIGEST = "sha256:" + "1" * 64
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def add_list(engine: Store, name: str) -> None:
    platform = oci.Platform("amd64", "linux", "")
    descriptor = oci.Descriptor(media_type=MANIFEST, digest=DIGEST, size=5, platform=platform)
    engine.layout.prepare()
    engine.layout.lists.mkdir(exist_ok=True)
    path = engine.layout.lists / f"docker.io%2Flibrary%2F{name}"
    path.write_bytes(msgspec.json.encode([ListEntry(f"r.example/app@{DIGEST}", descriptor)]))


def test_a_list_is_read_annotated_and_deleted(engine: Store) -> None:
    add_list(engine, "list%3A1")
    engine.manifests.annotate(
        "list:1", f"r.example/app@{DIGEST}", architecture="arm64", os=None, variant="v8"
    )
    [entry] = engine.manifests.read("list:1")
    assert entry.descriptor.platform == oci.Platform("arm64", "linux", "v8")
    index = oci.decode(engine.manifests.index("list:1").data, oci.Index, what="list")
    assert [item.digest for item in index.manifests or ()] == [DIGEST]
    engine.manifests.remove("list:1")
    with pytest.raises(NotFound, match="no such manifest list: list:1"):
        engine.manifests.read("list:1")


def test_an_existing_list_is_not_replaced(engine: Store) -> None:
    add_list(engine, "list%3A1")
    with pytest.raises(Conflict, match="use --amend"):
        engine.manifests.create("list:1", [], amend=False)


def test_an_image_that_is_not_in_the_list_cannot_be_annotated(engine: Store) -> None:
    add_list(engine, "list%3A1")
    other = "r.example/app@sha256:" + "2" * 64
    with pytest.raises(NotFound, match="does not exist in list:1"):
        engine.manifests.annotate("list:1", other, architecture=None, os=None, variant=None)

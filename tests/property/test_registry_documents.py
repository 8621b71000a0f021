# SPDX-License-Identifier: MIT
"""A pull from a registry with any documents gives an image or an error of one line.

It leaves no other files in the store.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.images.pull import Puller
from sandbox.errors import NotFound, SandboxError
from sandbox.models import oci
from sandbox.models.architecture import Platform
from sandbox.models.digest import digest_of
from sandbox.models.reference import Reference
from sandbox.registry.client import RawManifest
from sandbox.registry.config import Settings
from sandbox.registry.transport import Transport
from sandbox.store.fsck import check
from sandbox.store.layout import Layout
from tests.harness import images

LAYER = images.tar([images.file("a", "1")])
CONFIG = images.config_for([LAYER])
KINDS = [*sorted(oci.MANIFEST_TYPES), *sorted(oci.INDEX_TYPES)]


def described(data: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": images.digest(data), "size": len(data)}


def good() -> tuple[dict[str, Any], dict[str, Any]]:
    config = json.dumps(CONFIG).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": KINDS[0],
        "config": described(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [described(LAYER, "application/vnd.oci.image.layer.v1.tar")],
    }
    return manifest, json.loads(json.dumps(CONFIG))


class Answer:
    """The body of a blob's response."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int, /) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data

    def close(self) -> None:
        """Do nothing, since nothing is open."""


class Repository:
    """A repository with one manifest and some blobs."""

    path = "fuzz"
    shown = "fuzz"

    def __init__(self, manifest: bytes, blobs: list[bytes]) -> None:
        self._manifest = manifest
        self._blobs = {digest_of(blob): blob for blob in blobs}

    def manifest(self, name: str) -> RawManifest:
        if name != "1" and name != digest_of(self._manifest):
            raise NotFound("manifest unknown")
        head = oci.decode(self._manifest, dict[str, Any], what="manifest")
        kind = head.get("mediaType")
        return RawManifest(self._manifest, kind if kind in KINDS else KINDS[0])

    def blob(self, digest: str, size: int, limit: int) -> bytes:
        del size, limit
        return self._find(digest)

    def open_blob(self, digest: str, offset: int = 0) -> tuple[Answer, int]:
        return Answer(self._find(digest)[offset:]), offset

    def _find(self, digest: str) -> bytes:
        for known, data in self._blobs.items():
            if known == digest:
                return data
        raise NotFound("blob unknown")


class Session:
    """The part of a registry session that a pull uses."""

    settings = Settings(retries=0, parallel=1)
    transport = Transport(settings, sleep=lambda _: None)

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def sources(self, _: Reference) -> list[Repository]:
        return [self._repository]


def pull(manifest: bytes, config: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder) / "store")
        session: Any = Session(Repository(manifest, [LAYER, config]))
        puller = Puller(layout, session, Platform("linux", "amd64"), lambda *_: None)
        try:
            pulled = puller.run(Reference("r.example", "fuzz", "1"))
        except SandboxError as exc:
            message = exc.message
        else:
            assert layout.image(pulled.image_id).exists()
            message = ""
        assert "\n" not in message
        assert not [item for item in check(layout, repair=False) if item.is_problem]
        assert not layout.tmp.exists() or os.listdir(layout.tmp) == []
        assert os.listdir(folder) in ([], ["store"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from([*KINDS, "sha256:" + "0" * 64, images.digest(LAYER), "../../x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """Return the document with some of its parts replaced or left out."""
    document = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        node = document
        while isinstance(node, dict | list) and node:
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            key: Any = draw(st.sampled_from(list(keys)))
            if not isinstance(node[key], dict | list) or draw(st.booleans()):
                if draw(st.booleans()):
                    node[key] = draw(JSON)
                else:
                    del node[key]
                break
            node = node[key]
    return document


def test_the_unchanged_documents_give_an_image() -> None:
    manifest, config = good()
    pull(json.dumps(manifest).encode(), json.dumps(config).encode())


@given(changed(good()[0]))
def test_any_manifest_gives_an_image_or_an_error(document: Any) -> None:
    pull(json.dumps(document).encode(), json.dumps(CONFIG).encode())


@given(changed(CONFIG))
def test_any_configuration_gives_an_image_or_an_error(document: Any) -> None:
    config = json.dumps(document).encode()
    manifest, _ = good()
    manifest["config"] = described(config, "application/vnd.oci.image.config.v1+json")
    pull(json.dumps(manifest).encode(), config)


@given(st.binary(max_size=40))
def test_any_bytes_as_manifest_give_an_image_or_an_error(data: bytes) -> None:
    pull(data, json.dumps(CONFIG).encode())

# SPDX-License-Identifier: MIT
"""``import``: the tar of a root file system becomes an image."""

from __future__ import annotations

import gzip
import io
import sys
from types import SimpleNamespace

import pytest

from sandbox.engine.images import indexing
from sandbox.errors import CorruptData, NativeError, SandboxError, StoreFull, UsageError
from sandbox.store.layers import is_index_fresh
from tests.harness import images
from tests.harness.store import Store

ROOTFS = [images.directory("./"), images.file("bin/sh", "#!", mode=0o755)]
LAYERS = [[images.file("a", "1")], [images.whiteout("a")]]
BAD = {
    "no archive": b"nothing of the kind " * 100,
    "empty": b"",
    "truncated gzip": images.zeros_in_gzip(1 << 20)[:500],
    "dot dot": images.tar([images.file("../../evil")]),
    "escaping link": images.tar([images.symlink("l", "../.."), images.file("l/evil")]),
    "truncated": images.tar([images.file("f", "x" * 5000)])[:3000],
}


def test_an_imported_tree_is_an_image_of_one_layer_with_its_changes(engine: Store) -> None:
    path = engine.archive(gzip.compress(images.tar(ROOTFS)))
    image_id = engine.images.import_(
        path,
        reference="base:1",
        changes=["ENV A=1", "CMD sh"],
        message="why",
        platform="linux/arm64/v8",
    )
    image = engine.images.get("base:1")
    assert image.id == image_id
    assert image.config.env == ["A=1"]
    assert (image.architecture, image.variant) == ("arm64", "v8")
    assert image.layers == (images.digest(images.tar(ROOTFS)),)
    assert [(step.comment, size) for step, size in engine.images.history("base:1")] == [("why", 2)]


def test_the_first_start_of_an_imported_image_makes_no_index(engine: Store) -> None:
    image = engine.images.get(engine.images.import_(engine.archive(images.tar(ROOTFS))))
    assert image.chain_id is not None
    assert is_index_fresh(engine.layout, image.chain_id, image.layers)


def test_an_image_is_whole_although_its_index_cannot_be_made(
    engine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreFull("full")

    monkeypatch.setattr(indexing, "ensure_index", fail)
    assert engine.images.get(engine.images.import_(engine.archive(images.tar(ROOTFS)))).layers


def test_standard_input_is_imported_too(engine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = SimpleNamespace(buffer=io.BytesIO(images.tar(ROOTFS)), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", pipe)
    image = engine.images.get(engine.images.import_("-"))
    assert image.repo_tags == ()
    assert image.comment == "Imported from -"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_root_file_system_leaves_the_store_as_it_was(engine: Store, name: str) -> None:
    engine.load(LAYERS, tags=["app"])
    before = engine.snapshot()
    path = engine.archive(BAD[name])
    with pytest.raises(CorruptData) as error:
        engine.images.import_(path, reference="bad")
    assert "\n" not in error.value.message
    assert path in error.value.message
    assert engine.snapshot() == before


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"path": "/no/such/file"}, NativeError),
        ({"path": "/"}, SandboxError),
        ({"path": "http://example.com/x.tar"}, UsageError),
        ({"path": "/dev/null", "reference": "Bad"}, UsageError),
        ({"path": "/dev/null", "reference": "a@sha256:" + "0" * 64}, UsageError),
        ({"path": "/dev/null", "reference": "host"}, SandboxError),
        ({"path": "/dev/null", "changes": ["FROM x"]}, UsageError),
        ({"path": "/dev/null", "platform": "a/b/c/d"}, UsageError),
    ],
)
def test_an_invalid_import_is_refused_before_any_file_is_made(
    engine: Store, arguments: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        engine.images.import_(**arguments)  # type: ignore[arg-type]
    left = [path for path in engine.layout.root.rglob("*") if path.is_file()]
    assert [path for path in left if path != engine.layout.lock] == []

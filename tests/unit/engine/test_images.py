# SPDX-License-Identifier: MIT
from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.errors import CorruptData, NativeError, SandboxError, UsageError
from sandbox.store.images import ImageStore
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

ROOTFS = [images.directory("./"), images.file("bin/sh", "#!", mode=0o755)]
LAYERS = [[images.file("a", "1")], [images.whiteout("a")]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Layout(tmp_path / "store"))


def test_an_imported_tree_is_an_image_of_one_layer_with_its_changes(store: Store) -> None:
    path = store.archive(gzip.compress(images.tar(ROOTFS)))
    image_id = store.images.import_(
        path,
        reference="base:1",
        changes=["ENV A=1", "CMD sh"],
        message="why",
        platform="linux/arm64/v8",
    )
    image = store.images.get("base:1")
    assert image.id == image_id
    assert image.config.env == ["A=1"]
    assert (image.architecture, image.variant) == ("arm64", "v8")
    assert image.layers == (images.digest(images.tar(ROOTFS)),)
    assert [(step.comment, size) for step, size in store.images.history("base:1")] == [("why", 2)]


def test_standard_input_is_imported_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = SimpleNamespace(buffer=io.BytesIO(images.tar(ROOTFS)), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", pipe)
    image = store.images.get(store.images.import_("-"))
    assert image.repo_tags == ()
    assert image.comment == "Imported from -"


def test_the_configuration_of_a_loaded_image_is_kept_byte_for_byte(store: Store) -> None:
    raw = json.dumps(images.config_for([images.tar(layer) for layer in LAYERS]), indent=7).encode()
    path = store.archive(images.docker_archive(LAYERS, config_bytes=raw, tags=["x:1"]))
    [loaded] = store.images.load(path)
    assert loaded.id == images.digest(raw)
    assert ImageStore(store.layout).raw_config(loaded.id) == raw


def test_several_images_of_one_archive_share_their_layers(store: Store) -> None:
    first = images.docker_archive(LAYERS, tags=["x:1"])
    assert store.images.load(store.archive(first))[0].id
    before = set(store.layout.layers.iterdir())
    store.load([*LAYERS, [images.file("c")]], tags=["x:2"])
    assert len(set(store.layout.layers.iterdir()) - before) == 1


def test_an_oci_directory_is_loaded(store: Store, tmp_path: Path) -> None:
    files = images.oci_files(LAYERS, ref="r.io/x:1", nested=True)
    place = images.oci_directory(files, tmp_path / "layout")
    [loaded] = store.images.load(str(place))
    assert [ref.familiar for ref in loaded.references] == ["r.io/x:1"]


def test_sixty_layers_load_and_leave_nothing_behind(store: Store) -> None:
    image = store.load(images.random_layers(), tags=["rnd"])
    assert len(image.layers) == 60
    assert store.system.fsck() == []
    store.images.remove("rnd")
    assert not any(store.layout.layers.iterdir())


BAD = {
    "no archive": b"nothing of the kind " * 100,
    "empty": b"",
    "truncated gzip": images.zeros_in_gzip(1 << 20)[:500],
    "dot dot": images.tar([images.file("../../evil")]),
    "escaping link": images.tar([images.symlink("l", "../.."), images.file("l/evil")]),
    "truncated": images.tar([images.file("f", "x" * 5000)])[:3000],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_root_file_system_leaves_the_store_as_it_was(store: Store, name: str) -> None:
    store.load(LAYERS, tags=["app"])
    before = store.snapshot()
    path = store.archive(BAD[name])
    with pytest.raises(CorruptData) as error:
        store.images.import_(path, reference="bad")
    assert "\n" not in error.value.message
    assert path in error.value.message
    assert store.snapshot() == before


@pytest.mark.parametrize("name", ["diff ids", "too few layers", "evil layer", "one good one bad"])
def test_a_lying_archive_leaves_the_store_as_it_was(store: Store, name: str) -> None:
    store.load(LAYERS, tags=["app"])
    before = store.snapshot()
    new = [[images.file("new")]]
    wrong = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
    archive = {
        "diff ids": images.docker_archive(new, wrong, tags=["bad"]),
        "too few layers": images.docker_archive(
            new, {"rootfs": {"type": "layers", "diff_ids": []}}, tags=["bad"]
        ),
        "evil layer": images.docker_archive([*new, [images.file("../x")]], tags=["bad"]),
        "one good one bad": images.docker_archive([*new, [images.hardlink("a", "b")]]),
    }[name]
    with pytest.raises(CorruptData) as error:
        store.images.load(store.archive(archive))
    assert "\n" not in error.value.message
    assert store.snapshot() == before


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
def test_a_bad_request_is_refused_before_anything_is_made(
    store: Store, arguments: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        store.images.import_(**arguments)  # type: ignore[arg-type]
    left = [path for path in store.layout.root.rglob("*") if path.is_file()]
    assert [path for path in left if path != store.layout.lock] == []

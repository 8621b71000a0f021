# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.errors import (
    ImageNotFound,
    PermissionDenied,
    ReferenceSyntaxError,
    StoreFull,
    UsageError,
)
from sandbox.store import images as store_images
from sandbox.store.images import ImageStore
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

LAYERS = [[images.file("a", "1")], [images.file("b", "22")]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Layout(tmp_path / "store"))


def test_an_image_is_found_by_name_id_and_id_prefix(store: Store) -> None:
    image = store.load(LAYERS, tags=["app:1", "r.io/x/app:2"])
    hexadecimal = image.id.removeprefix("sha256:")
    for name in ("app:1", "docker.io/library/app:1", "r.io/x/app:2", hexadecimal[:4], image.id):
        assert store.images.get(name).id == image.id
    assert image.layer_sizes == (1, 2)


def test_a_tag_wins_over_an_id_prefix(store: Store) -> None:
    one = store.load(LAYERS, tags=["x"])
    other = store.load(LAYERS[:1], tags=["x"])
    store.images.tag(other.id, one.id.removeprefix("sha256:")[:6])
    assert store.images.get(one.id.removeprefix("sha256:")[:6]).id == other.id


def test_the_error_about_a_missing_image_has_a_suggestion(store: Store) -> None:
    with pytest.raises(ImageNotFound, match="'sandbox images' lists"):
        store.images.get("debain")
    store.load(LAYERS, tags=["debian:12"])
    with pytest.raises(
        ImageNotFound, match=r"no such image: debain:12 \(did you mean debian:12\?\)"
    ):
        store.images.get("debain:12")


def test_an_ambiguous_id_prefix_is_an_error(store: Store) -> None:
    by_first: dict[str, int] = {}
    for number in range(17):
        image = store.load([[images.file("f", str(number))]])
        first = image.id.removeprefix("sha256:")[0]
        by_first[first] = by_first.get(first, 0) + 1
    prefix = next(first for first, count in by_first.items() if count > 1)
    with pytest.raises(UsageError, match="ambiguous"):
        store.images.get(prefix)


def test_a_name_moves_to_the_image_loaded_last(store: Store) -> None:
    old = store.load(LAYERS, tags=["app"])
    new = store.load(LAYERS[:1], tags=["app"])
    assert store.images.get("app").id == new.id
    assert store.images.get(old.id).repo_tags == ()


def test_removing_an_image_keeps_shared_layers(store: Store) -> None:
    small = store.load(LAYERS[:1], tags=["small"])
    large = store.load(LAYERS, tags=["large"])
    removal = store.images.remove("large")
    assert removal.untagged == ["large:latest"]
    assert removal.deleted == [large.id, large.chain_id]
    assert store.layout.layer(small.layers[0]).is_dir()
    assert not store.layout.layer(large.layers[1]).exists()
    assert store.system.fsck() == []
    store.images.remove("small")
    assert os.listdir(store.layout.layers) == os.listdir(store.layout.blobs) == []


def test_removal_by_name_only_untags_if_other_names_are_left(store: Store) -> None:
    store.load(LAYERS, tags=["a", "b"])
    assert store.images.remove("a").deleted == []
    assert store.images.get("b").familiar_tags == ["b:latest"]


@pytest.mark.parametrize("name", ["host", "host:latest", "docker.io/library/host"])
def test_the_name_host_is_reserved(store: Store, name: str) -> None:
    image = store.load(LAYERS, tags=["app"])
    with pytest.raises(ReferenceSyntaxError, match="reserved"):
        store.images.tag(image.id, name)
    with pytest.raises(ReferenceSyntaxError, match="reserved"):
        store.load(LAYERS, tags=[name])
    assert store.images.get(name).is_host


def test_a_full_disk_leaves_the_store_unchanged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.load(LAYERS[:1], tags=["app"])
    before = store.snapshot()

    def full(*_: object, **__: object) -> None:
        raise StoreFull("no space")

    for function in ("write_tags", "write_atomic", "write_blob"):
        with monkeypatch.context() as patch:
            patch.setattr(store_images, function, full)
            with pytest.raises(StoreFull):
                store.load(LAYERS, tags=["more"])
        assert store.snapshot() == before


def test_a_store_without_write_permission_can_be_read(store: Store) -> None:
    store.load(LAYERS, tags=["app"])
    paths = [store.layout.root, *store.layout.root.iterdir()]
    for path in paths:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        assert store.images.get("app").size == 3
        assert len(store.images.list()) == 1
        with pytest.raises(PermissionDenied):
            store.images.remove("app")
        with pytest.raises(PermissionDenied):
            store.load(LAYERS[:1])
    finally:
        for path in paths:
            path.chmod(0o700)


def test_reading_does_not_create_a_store(store: Store) -> None:
    assert store.images.list() == []
    with pytest.raises(ImageNotFound):
        store.images.remove("app")
    assert store.system.fsck() == []
    assert not store.layout.root.exists()


def test_an_image_that_is_removed_during_a_listing_is_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.load(LAYERS[:1], tags=["kept"])
    store.load(LAYERS, tags=["gone"])
    listed = ImageStore(store.layout).ids()
    store.images.remove("gone")
    monkeypatch.setattr(ImageStore, "ids", lambda _: listed)
    assert [image.id for image in ImageStore(store.layout).all()] == [kept.id]

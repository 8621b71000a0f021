# SPDX-License-Identifier: MIT
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox.errors import CorruptData
from sandbox.store import layers
from sandbox.store.layers import ensure_index, is_index_fresh, read_layer_info
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

BUILDS: list[list[tuple[str, str]]] = []


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    def build(sources: list[tuple[str, str]], dest: str) -> None:
        BUILDS.append(sources)
        Path(dest).write_text("index")

    BUILDS.clear()
    monkeypatch.setattr(layers, "build_index", build)
    return Store(Layout(tmp_path / "store"))


def test_an_index_is_built_once_from_the_lowest_layer_up(store: Store) -> None:
    image = store.load([[images.file("a")], [images.file("b")]])
    path = ensure_index(store.layout, image)
    assert path.read_text() == "index"
    assert ensure_index(store.layout, image) == path
    [sources] = BUILDS
    assert [
        (Path(diff) / name).exists() for (diff, _), name in zip(sources, "ab", strict=True)
    ] == [
        True,
        True,
    ]


def test_a_copied_store_gets_new_indexes(store: Store, tmp_path: Path) -> None:
    image = store.load([[images.file("a")]])
    ensure_index(store.layout, image)
    shutil.copytree(store.layout.root, tmp_path / "copy", symlinks=True)
    copy = Layout(tmp_path / "copy")
    assert image.chain_id is not None
    assert not is_index_fresh(copy, image.chain_id, image.layers)
    ensure_index(copy, image)
    assert len(BUILDS) == 2
    assert is_index_fresh(copy, image.chain_id, image.layers)


def test_the_index_of_the_faster_process_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = store.load([[images.file("a")]])
    assert image.chain_id is not None
    layers.remove_index(store.layout, image.chain_id)  # load has made it
    build = layers.build_index
    faster = []

    def build_slowly(sources: list[tuple[str, str]], dest: str) -> None:
        monkeypatch.setattr(layers, "build_index", build)
        faster.append(ensure_index(store.layout, image).stat().st_ino)
        build(sources, dest)

    monkeypatch.setattr(layers, "build_index", build_slowly)
    assert [ensure_index(store.layout, image).stat().st_ino] == faster


def test_a_missing_layer_is_reported(store: Store) -> None:
    image = store.load([[images.file("a")]])
    shutil.rmtree(store.layout.layer(image.layers[0]))
    with pytest.raises(CorruptData, match="is missing from the store"):
        read_layer_info(store.layout, image.layers[0])
    with pytest.raises(CorruptData, match="is missing from the store"):
        ensure_index(store.layout, image)

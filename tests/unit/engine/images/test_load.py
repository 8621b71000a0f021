# SPDX-License-Identifier: MIT
"""``load``: the images of an archive, all of them or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.errors import CorruptData
from sandbox.store.images import ImageStore
from tests.harness import images
from tests.harness.store import Store

LAYERS = [[images.file("a", "1")], [images.whiteout("a")]]


def test_the_configuration_of_a_loaded_image_is_kept_byte_for_byte(engine: Store) -> None:
    raw = json.dumps(images.config_for([images.tar(layer) for layer in LAYERS]), indent=7).encode()
    path = engine.archive(images.docker_archive(LAYERS, config_bytes=raw, tags=["x:1"]))
    [loaded] = engine.images.load(path)
    assert loaded.id == images.digest(raw)
    assert ImageStore(engine.layout).raw_config(loaded.id) == raw


def test_several_images_of_one_archive_share_their_layers(engine: Store) -> None:
    first = images.docker_archive(LAYERS, tags=["x:1"])
    assert engine.images.load(engine.archive(first))[0].id
    before = set(engine.layout.layers.iterdir())
    engine.load([*LAYERS, [images.file("c")]], tags=["x:2"])
    assert len(set(engine.layout.layers.iterdir()) - before) == 1


def test_an_oci_directory_is_loaded(engine: Store, tmp_path: Path) -> None:
    files = images.oci_files(LAYERS, ref="r.io/x:1", nested=True)
    place = images.oci_directory(files, tmp_path / "layout")
    [loaded] = engine.images.load(str(place))
    assert [ref.familiar for ref in loaded.references] == ["r.io/x:1"]


def test_sixty_layers_load_and_leave_nothing_behind(engine: Store) -> None:
    image = engine.load(images.random_layers(), tags=["rnd"])
    assert len(image.layers) == 60
    assert engine.system.fsck() == []
    engine.images.remove("rnd")
    assert not any(engine.layout.layers.iterdir())


@pytest.mark.parametrize("name", ["diff ids", "too few layers", "evil layer", "one good one bad"])
def test_an_archive_with_wrong_digests_leaves_the_store_as_it_was(engine: Store, name: str) -> None:
    engine.load(LAYERS, tags=["app"])
    before = engine.snapshot()
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
        engine.images.load(engine.archive(archive))
    assert "\n" not in error.value.message
    assert engine.snapshot() == before

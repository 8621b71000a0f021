# SPDX-License-Identifier: MIT
"""Images: found, listed, tagged, saved."""

from __future__ import annotations

import io
import os
import pathlib

import pytest

from sandbox.errors import Conflict, ImageNotFound, UsageError
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

LAYERS = [[images.file("a", "1")], [images.file("b", "22")]]


@pytest.fixture
def other(tmp_path: pathlib.Path) -> Store:
    return Store(Layout(tmp_path / "other"))


def test_images_are_listed_by_wildcards_and_filters(engine: Store) -> None:
    engine.load(LAYERS, {"Labels": {"x": "1"}}, tags=["app:1", "app:2"])
    engine.load([[images.file("c")]], tags=["web:1"])
    assert len(engine.images.list()) == 2
    assert [item.familiar_tags for item in engine.images.list("app:*")] == [["app:1", "app:2"]]
    assert engine.images.list("app:*", filters=["label=x=2"]) == []
    assert len(engine.images.list(filters=["label=x"])) == 1


def test_a_tag_moves_to_another_image(engine: Store) -> None:
    first = engine.load(LAYERS, tags=["app:1"])
    second = engine.load([[images.file("c")]], tags=["web:1"])
    engine.images.tag("web:1", "app:1")
    assert engine.images.get("app:1").id == second.id
    assert engine.images.get(first.id).repo_tags == ()


def test_steps_come_newest_first_with_their_sizes(engine: Store) -> None:
    engine.load(LAYERS, tags=["app:1"])
    assert [size for _, size in engine.images.history("app:1")] == [2, 1]
    assert engine.images.inspect("app:1")["RepoTags"] == ["app:1"]


def test_a_saved_image_is_the_same_in_another_store(
    engine: Store, other: Store, tmp_path: pathlib.Path
) -> None:
    image = engine.load(LAYERS, tags=["app:1"])
    archive = io.BytesIO()
    engine.images.save(["app:1"], archive.write)
    [loaded] = other.images.load(other.archive(archive.getvalue()))
    assert (loaded.id, other.images.get("app:1").layers) == (image.id, image.layers)
    engine.images.save_directory(["app:1"], str(tmp_path / "layout"))
    assert "oci-layout" in os.listdir(tmp_path / "layout")
    with pytest.raises(Conflict, match="exists already"):
        engine.images.save_directory(["app:1"], str(tmp_path / "layout"))


def test_the_image_host_cannot_be_pulled_saved_explored_or_pushed(engine: Store) -> None:
    for move in (
        lambda: engine.images.pull("host"),
        lambda: engine.images.save(["host"], lambda _: None),
        lambda: engine.images.explore("host"),
    ):
        with pytest.raises(UsageError, match="the image 'host' is the machine itself"):
            move()
    with pytest.raises(ImageNotFound):
        engine.images.push("host")

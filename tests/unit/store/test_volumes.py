# SPDX-License-Identifier: MIT
"""Volumes on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import CorruptData, NotFound, UsageError
from sandbox.models.container import ContainerConfig, MountPoint
from sandbox.store.layout import Layout
from sandbox.store.volumes import VolumeStore, check_name, drop_anonymous

NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "store")


def test_a_volume_is_created_once_and_found_again(layout: Layout) -> None:
    store = VolumeStore(layout)
    made = store.ensure("data", NOW, labels={"a": "b"})
    assert store.ensure("data", "later", anonymous=True) == made
    assert (made.created, made.anonymous, made.labels) == (NOW, False, {"a": "b"})
    assert Path(made.data).is_dir()
    assert list(store.all()) == [made]


def test_a_volume_is_removed_with_its_files(layout: Layout) -> None:
    store = VolumeStore(layout)
    volume = store.ensure("data", NOW)
    Path(volume.data, "file").write_text("x")
    store.remove(volume)
    with pytest.raises(NotFound, match="get data: no such volume"):
        store.find("data")
    assert list(store.all()) == []


def test_a_damaged_volume_is_named_in_the_error_and_left_out_of_lists(layout: Layout) -> None:
    store = VolumeStore(layout)
    store.ensure("good", NOW)
    Path(store.ensure("bad", NOW).path, "volume.json").write_text("{}")
    with pytest.raises(CorruptData, match="volume bad is damaged"):
        store.find("bad")
    assert [volume.name for volume in store.all()] == ["good"]


@pytest.mark.parametrize("name", ["", "a", ".a", "a/b", "../x", "a b", "ä1"])
def test_a_name_that_docker_refuses_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="invalid characters"):
        check_name(name)


def test_a_name_that_is_too_long_for_a_directory_is_refused() -> None:
    assert check_name("a" * 255) == "a" * 255
    with pytest.raises(UsageError, match="too long"):
        check_name("a" * 256)


def test_removing_a_container_only_removes_its_anonymous_volumes(layout: Layout) -> None:
    store = VolumeStore(layout)
    store.ensure("named", NOW)
    store.ensure("made-up", NOW, anonymous=True)
    config = ContainerConfig(
        id="a" * 64, name="web", created=NOW, image="", image_id="", entrypoint=(), cmd=(),
        mounts=(
            MountPoint("volume", "/a", name="named"),
            MountPoint("volume", "/b", name="made-up", anonymous=True),
        ),
    )  # fmt: skip
    drop_anonymous(layout, config)
    assert [volume.name for volume in store.all()] == ["named"]

# SPDX-License-Identifier: MIT
from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.models.image import Image
from sandbox.store import fsck
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Layout(tmp_path / "store"))


@pytest.fixture
def image(store: Store) -> Image:
    return store.load(
        [[images.file("f", "x"), images.symlink("s", "f"), images.whiteout("w")]], tags=["app"]
    )


def test_a_whole_store_has_no_findings(store: Store, image: Image) -> None:
    assert image.repo_tags
    assert store.system.fsck() == []


Damage = Callable[[Layout, Image], object]

PROBLEMS: dict[str, Damage] = {
    "a damaged configuration": lambda at, image: at.blob(image.id).write_bytes(b"x"),
    "a lost configuration": lambda at, image: at.blob(image.id).unlink(),
    "a damaged record": lambda at, image: at.image(image.id).write_bytes(b"{"),
    "a lost record": lambda at, image: at.image(image.id).unlink(),
    "a damaged table of names": lambda at, _: at.tags.write_bytes(b"["),
    "a lost layer": lambda at, image: shutil.rmtree(at.layer(image.layers[0])),
    "a lost file": lambda at, image: (at.layer_diff(image.layers[0]) / "f").unlink(),
    "a short table": lambda at, image: at.layer_meta(image.layers[0]).write_bytes(b""),
    "a lost table": lambda at, image: at.layer_meta(image.layers[0]).unlink(),
    "an empty container": lambda at, _: at.container("0" * 64).mkdir(),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_damage_is_a_problem(store: Store, image: Image, name: str) -> None:
    PROBLEMS[name](store.layout, image)
    findings = store.system.fsck()
    assert findings[0].is_problem, findings


def stray(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "file").touch()


NOTES: dict[str, Callable[[Layout], object]] = {
    "work in progress of a dead process": lambda at: stray(at.tmp / "dead"),
    "a layer nobody uses": lambda at: stray(at.layers / ("0" * 64)),
    "content nobody uses": lambda at: (at.blobs / ("0" * 64)).touch(),
    "an index nobody uses": lambda at: (at.indexes / ("0" * 64)).touch(),
    "the stamp of no index": lambda at: (at.indexes / f"{'0' * 64}.stamp").touch(),
}


@pytest.mark.parametrize("name", NOTES)
def test_leftovers_of_a_killed_process_are_noted_and_repaired(
    store: Store, image: Image, name: str
) -> None:
    sound = store.snapshot()
    NOTES[name](store.layout)
    assert [finding.is_problem for finding in store.system.fsck()] == [False]
    assert [finding.is_repaired for finding in store.system.fsck(repair=True)] == [True]
    assert store.system.fsck() == []
    assert store.snapshot() == sound
    assert store.images.get("app").id == image.id


def test_a_repair_removes_names_of_missing_images(store: Store, image: Image) -> None:
    store.layout.image(image.id).unlink()
    assert any(f.is_problem and "app" in f.text for f in store.system.fsck(repair=True))
    assert not any(finding.is_problem for finding in store.system.fsck())


def test_a_repair_never_removes_a_containers_directory(store: Store, image: Image) -> None:
    assert image
    path = store.layout.container("0" * 64)
    stray(path)
    assert store.system.fsck(repair=True)[0].is_problem
    assert path.exists()


def test_a_container_that_is_removed_meanwhile_is_no_problem(
    store: Store, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image
    listed = fsck._listed
    gone = store.layout.container("1" * 64)
    monkeypatch.setattr(
        fsck,
        "_listed",
        lambda path: [*listed(path), gone] if path == store.layout.containers else listed(path),
    )
    assert store.system.fsck() == []

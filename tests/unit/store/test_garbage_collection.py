# SPDX-License-Identifier: MIT
"""Garbage collection removes unused files of the store and nothing else."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from sandbox.models.digest import digest_of
from sandbox.store.garbage_collection import drop_leftovers, forget, sweep
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Layout(tmp_path / "store"))


def test_a_missing_store_has_nothing_to_remove(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "none")
    assert (sweep(layout).names, drop_leftovers(layout).freed) == ([], 0)
    assert not layout.root.exists()


def test_only_layers_and_blobs_without_an_image_are_removed(store: Store) -> None:
    image = store.load([[images.file("a", "x" * 5000)]])
    layout = store.layout
    stray = digest_of(b"stray")
    layout.layer(stray).mkdir()
    layout.blob(digest_of(b"blob")).write_bytes(b"blob" * 2000)
    swept = sweep(layout)
    assert set(swept.names) == {stray, digest_of(b"blob")}
    assert swept.freed >= 8000
    assert all(layout.layer(layer).is_dir() for layer in image.layers)
    assert sweep(layout).names == []


def test_a_locked_download_is_kept(store: Store) -> None:
    layout = store.layout
    layout.prepare()
    layout.downloads.mkdir(exist_ok=True)
    held, free = layout.downloads / "held", layout.downloads / "free"
    for path in (held, free):
        path.write_bytes(b"x")
    with held.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep(layout)
    assert (held.exists(), free.exists()) == (True, False)


def test_forget_keeps_layers_of_images(store: Store) -> None:
    image = store.load([[images.file("a", "x")]])
    stray = digest_of(b"stray")
    store.layout.layer(stray).mkdir()
    forget(store.layout, [*image.layers, stray])
    assert store.layout.layer(image.layers[0]).is_dir()
    assert not store.layout.layer(stray).exists()

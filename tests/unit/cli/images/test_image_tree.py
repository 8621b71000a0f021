# SPDX-License-Identifier: MIT
"""``image tree``: images that share layers stand below each other."""

from __future__ import annotations

import pathlib

import pytest

from sandbox.cli.images.image_tree import tree_lines
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

BASE = [
    images.directory("etc"),
    images.file("etc/os", "one\ntwo\n"),
    images.file("etc/same", "same"),
    images.file("big", images.noise(50_000)),
    images.file("binary", b"\0one"),
]


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Store:
    return Store(Layout(tmp_path / "store"))


def test_the_tree_of_images(engine: Store) -> None:
    engine.load([BASE], tags=["base:1"])
    engine.load([BASE, [images.file("app", "1")], [images.file("more", "1")]], tags=["app:1"])
    engine.load([BASE, [images.file("web", "1")]], tags=["web:1"])
    lines = list(tree_lines(engine.images.list()))
    assert len(lines) == 6
    assert "(1 layer)" in lines[0]
    assert any("base:1" in line and line.startswith("├─ ") for line in lines)
    assert any("(2 layers)" in line for line in lines)

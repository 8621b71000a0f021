# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.native.host_tree import HostTree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[HostTree]:
    (tmp_path / "top").mkdir()
    made = HostTree(tmp_path / "top")
    yield made
    made.close()


def make(tree: HostTree, parts: list[bytes]) -> None:
    path = b"."
    for part in parts:
        os.mkdir(part, dir_fd=tree.directory(path))
        path = part if path == b"." else path + b"/" + part


def test_symlinks_in_a_path_are_not_followed(tree: HostTree, tmp_path: Path) -> None:
    (tmp_path / "top" / "link").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError):
        tree.directory(b"link")


def test_very_deep_trees_are_opened_and_removed(tree: HostTree, tmp_path: Path) -> None:
    parts = [b"d"] * 1500
    make(tree, parts)
    deepest = tree.directory(b"/".join(parts))
    os.mkdir(b"end", dir_fd=deepest)
    assert os.listdir(tree.directory(b"d")) == ["d"]
    gone: list[bytes] = []
    tree.remove(b".", b"d", gone.append)
    assert os.listdir(tmp_path / "top") == []
    everything = [b"/".join(parts[:depth]) for depth in range(1, 1501)]
    assert sorted(gone) == sorted([*everything, b"/".join([*parts, b"end"])])


def test_a_removed_directory_can_be_made_again(tree: HostTree) -> None:
    make(tree, [b"a", b"b", b"c"])
    tree.directory(b"a/b/c")
    tree.remove(b"a", b"b", lambda _: None)
    make(tree, [b"x"])
    os.mkdir(b"b", dir_fd=tree.directory(b"a"))
    assert os.listdir(tree.directory(b"a/b")) == []


def opened_below(folder: Path) -> list[str]:
    """Return the paths below *folder* that this process has open."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return [path for path in found if path.startswith(str(folder))]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    tree = HostTree(tmp_path / "t")
    make(tree, [b"d"] * 100)
    tree.directory(b"d/d")
    assert opened_below(tmp_path)
    tree.close()
    assert opened_below(tmp_path) == []

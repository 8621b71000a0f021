# SPDX-License-Identifier: MIT
"""Owners and modes that host files cannot have, beside a volume."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from sandbox.models.container import MountPoint
from sandbox.runtime import volume_owners
from tests.unit.runtime.faketree import FakeTree


@pytest.fixture
def volume(tmp_path: pathlib.Path) -> MountPoint:
    data = tmp_path / "volume" / "_data"
    data.mkdir(parents=True)
    (data / "file").write_text("x")
    (data / "file").chmod(0o644)
    return MountPoint("volume", "/_data", os.fspath(data), name="v")


def tree_on(mount: MountPoint) -> Any:
    """Return a container's tree in which the volume is at its place."""
    return FakeTree(pathlib.Path(mount.source).parent)


def run_dir(tmp_path: pathlib.Path) -> str:
    path = tmp_path / f"run{len(os.listdir(tmp_path))}"
    path.mkdir()
    return os.fspath(path)


def test_an_owner_lasts_from_one_container_to_the_next(
    tmp_path: pathlib.Path, volume: MountPoint
) -> None:
    first, first_run = tree_on(volume), run_dir(tmp_path)
    first.chown(b"/_data/file", 33, 34)
    first.chmod(b"/_data/file", 0o4755)
    volume_owners.save(first, volume, first_run)
    second, second_run = tree_on(volume), run_dir(tmp_path)
    volume_owners.restore(second, volume, second_run)
    found = second.stat(b"/_data/file", follow=False)
    assert (found.uid, found.gid, found.mode & 0o7777) == (33, 34, 0o4755)


def test_nothing_is_written_where_the_hosts_files_say_it_all(
    tmp_path: pathlib.Path, volume: MountPoint
) -> None:
    volume_owners.write(volume, [(b"file", 0, 0, 0o644)])
    assert not (tmp_path / "volume" / "owners.jsonl").exists()
    volume_owners.write(volume, [(b"file", 0, 0, 0o600)])
    assert (tmp_path / "volume" / "owners.jsonl").read_text().count("\n") == 1


def test_of_a_damaged_file_what_can_be_read_is_believed(
    tmp_path: pathlib.Path, volume: MountPoint
) -> None:
    rows = '{"p": "file", "u": 5, "g": 6, "m": 420}\n{"p": "fi\nnull\n{}\n'
    (tmp_path / "volume" / "owners.jsonl").write_text(rows)
    tree = tree_on(volume)
    volume_owners.restore(tree, volume, run_dir(tmp_path))
    assert tree.stat(b"/_data/file", follow=False).uid == 5


def test_what_another_container_changed_meanwhile_is_kept() -> None:
    told = {b"a": (1, 1, 0), b"b": (1, 1, 0), b"c": (1, 1, 0)}
    own = {b"a": (1, 1, 0), b"b": (9, 9, 0)}
    others = {b"a": (2, 2, 0), b"b": (1, 1, 0), b"c": (1, 1, 0), b"gone": (3, 3, 0)}
    assert volume_owners.merged([b"a", b"b", b"c"], told, own, others) == {
        b"a": (2, 2, 0),
        b"b": (9, 9, 0),
    }


def test_only_volumes_have_owners_of_their_own(volume: MountPoint) -> None:
    assert volume_owners.is_told(volume)
    assert not volume_owners.is_told(MountPoint("tmpfs", "/t", uid=0))
    assert not volume_owners.is_told(MountPoint("bind", "/b", "/"))

# SPDX-License-Identifier: MIT
"""What a container changed, read from its upper directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.native.upper_changes import UpperChanges
from sandbox.store.atomic_files import remove_tree

LOWER = {b"/": [b"etc", b"old"], b"/etc": [b"passwd", b"group"]}
PATHS = {b"/etc", b"/old", b"/etc/passwd", b"/etc/group"}


@pytest.fixture
def upper(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "upper"
    made.mkdir()
    yield made
    remove_tree(made)  # pytest cannot remove deep trees


def read(upper: Path) -> UpperChanges:
    found = UpperChanges(
        whiteout=b"/whiteout",
        opaque=b".opaque",
        in_lower=PATHS.__contains__,
        lower_names=lambda path: LOWER.get(path, []),
    )
    found.read(os.fsencode(upper))
    found.changes.sort(key=lambda change: change[1])
    return found


def test_files_are_added_changed_or_deleted(upper: Path) -> None:
    (upper / "etc").mkdir()
    (upper / "etc" / "passwd").touch()
    (upper / "etc" / "new").touch()
    (upper / "old").symlink_to("/whiteout")
    (upper / "none").symlink_to("/whiteout")
    found = read(upper)
    assert found.changes == [
        ("C", b"/etc"),
        ("A", b"/etc/new"),
        ("C", b"/etc/passwd"),
        ("D", b"/old"),
    ]
    assert sorted(found.marks) == [b"/none", b"/old"]


def test_what_an_opaque_directory_hides_is_deleted(upper: Path) -> None:
    (upper / "etc").mkdir()
    (upper / "etc" / ".opaque").symlink_to("/whiteout")
    (upper / "etc" / "group").touch()
    found = read(upper)
    assert found.changes == [("C", b"/etc"), ("C", b"/etc/group"), ("D", b"/etc/passwd")]
    assert found.marks == [b"/etc/.opaque"]


def test_directories_that_shut_their_owner_out_are_read_and_stay_as_they_are(
    upper: Path,
) -> None:
    (upper / "shut" / "inner").mkdir(parents=True)
    (upper / "shut" / "inner" / "file").touch()
    (upper / "shut" / "inner").chmod(0o000)
    (upper / "shut").chmod(0o000)
    assert [path for _, path in read(upper).changes] == [
        b"/shut",
        b"/shut/inner",
        b"/shut/inner/file",
    ]
    assert stat.S_IMODE((upper / "shut").stat().st_mode) == 0
    (upper / "shut").chmod(0o700)
    assert stat.S_IMODE((upper / "shut" / "inner").stat().st_mode) == 0
    (upper / "shut" / "inner").chmod(0o700)


@pytest.mark.parametrize("depth", [1200, 3000])
def test_directories_are_read_however_deep(upper: Path, depth: int) -> None:
    fd = os.open(upper, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=fd)
        deeper = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    os.close(fd)
    assert len(read(upper).changes) == depth


def test_names_of_any_bytes_are_read(upper: Path) -> None:
    name = b"a\xff\nb"
    os.close(os.open(os.fsencode(upper) + b"/" + name, os.O_CREAT))
    assert read(upper).changes == [("A", b"/" + name)]


def test_a_directory_that_became_a_link_is_left_out(
    upper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (upper / "d").mkdir()
    listdir = os.listdir

    def exchange(fd: int) -> list[str]:
        found = listdir(fd)
        if (upper / "d").is_dir() and not (upper / "d").is_symlink():
            (upper / "d").rename(tmp_path / "moved")
            (upper / "d").symlink_to(tmp_path / "outside")
        return found

    monkeypatch.setattr(os, "listdir", exchange)
    assert read(upper).changes == [("A", b"/d")]

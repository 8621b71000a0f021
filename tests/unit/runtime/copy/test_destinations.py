# SPDX-License-Identifier: MIT
"""Where copied files go."""

from __future__ import annotations

import io
import os
import pathlib
import stat
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.errors import CorruptData, SandboxError
from sandbox.layers.tar_entry import TarEntry
from sandbox.runtime.copy.destinations import (
    HostDestination,
    TreeDestination,
    copy_all,
)
from sandbox.runtime.copy.sources import Item, host_items
from tests.unit.runtime.faketree import FakeTree


def _facts(root: pathlib.Path) -> dict[bytes, Any]:
    facts = {}
    for path, dirs, files in os.walk(os.fsencode(root)):
        for name in dirs + files:
            full = os.path.join(path, name)
            status = os.lstat(full)
            facts[os.path.relpath(full, os.fsencode(root))] = (
                stat.filemode(status.st_mode),
                status.st_mtime_ns if not stat.S_ISLNK(status.st_mode) else None,
                pathlib.Path(os.fsdecode(full)).read_bytes()
                if stat.S_ISREG(status.st_mode)
                else None,
                status.st_nlink if stat.S_ISREG(status.st_mode) else None,
            )
    return facts


def test_a_copy_on_the_host_equals_the_original(
    source: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    target = tmp_path / "target"
    size = copy_all(host_items(os.fsencode(source)), HostDestination(os.fsencode(target)))
    assert _facts(target) == _facts(source)
    assert size == len(b"content" + b"odd")


def test_a_copy_into_a_container_belongs_to_root_and_keeps_modes(
    source: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "tree").mkdir()
    tree: Any = FakeTree(tmp_path / "tree")
    destination = TreeDestination(tree, b"/new", owner=(0, 0))
    copy_all(host_items(os.fsencode(source)), destination)
    status = tree.stat(b"/new/d/file", follow=False)
    assert (stat.S_IMODE(status.mode), status.uid, status.nlink) == (0o640, 0, 2)
    assert status.mtime_ns == 123456789012345678
    assert stat.S_IMODE(tree.stat(b"/new/d/e").mode) == 0o555
    assert stat.S_ISFIFO(tree.stat(b"/new/d/pipe").mode)


def test_owners_are_kept_on_request(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "tree").mkdir()
    tree: Any = FakeTree(tmp_path / "tree")
    copy_all(host_items(os.fsencode(source)), TreeDestination(tree, b"/new", owner=None))
    assert tree.stat(b"/new/d/file").uid == os.getuid()


def test_names_outside_the_destination_are_refused(tmp_path: pathlib.Path) -> None:
    entry = TarEntry(b"a/../../x", "f", 0o644, 0, 0, 0, 1)
    with pytest.raises(CorruptData, match="leaves the tree"):
        copy_all([Item(entry)], HostDestination(os.fsencode(tmp_path)))


def test_a_link_on_the_host_is_not_written_through(tmp_path: pathlib.Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "victim").write_text("safe")
    os.symlink("../victim", tmp_path / "out/x")
    entry = TarEntry(b"x", "f", 0o644, 0, 0, 0, 3)
    item = Item(entry, stream=[(0, b"new")])
    copy_all([item], HostDestination(os.fsencode(tmp_path / "out")))
    assert (tmp_path / "victim").read_text() == "safe"
    assert (tmp_path / "out/x").read_text() == "new"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("d", "cannot overwrite non-directory"),
        ("f", "cannot overwrite directory"),
    ],
)
def test_files_and_directories_do_not_replace_each_other(
    tmp_path: pathlib.Path, kind: str, message: str
) -> None:
    if kind == "d":
        (tmp_path / "x").write_text("")
    else:
        (tmp_path / "x").mkdir()
    with pytest.raises(SandboxError, match=message):
        copy_all(
            [Item(TarEntry(b"x", kind, 0o755, 0, 0, 0, 0))],
            HostDestination(os.fsencode(tmp_path)),
        )


def test_a_directory_that_becomes_a_link_meanwhile_is_not_written_through(
    source: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    target = tmp_path / "target"

    def exchanged() -> Iterator[Item]:
        for item in host_items(os.fsencode(source)):
            yield item
            if item.entry.name == b"d":
                (target / "d").rename(tmp_path / "moved")
                (target / "d").symlink_to(outside)

    with pytest.raises(SandboxError, match="Not a directory"):
        copy_all(exchanged(), HostDestination(os.fsencode(target)))
    assert os.listdir(outside) == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755


def test_a_link_in_the_place_of_the_copy_is_not_followed(
    source: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "target").symlink_to(outside)
    with pytest.raises(SandboxError, match="cannot overwrite non-directory"):
        copy_all(host_items(os.fsencode(source)), HostDestination(os.fsencode(tmp_path / "target")))
    assert os.listdir(outside) == []


def _file(content: bytes, *, size: int, mode: int = 0o644) -> Item:
    entry = TarEntry(name=b"", kind="f", mode=mode, uid=0, gid=0, mtime_ns=0, size=size)
    return Item(entry, lambda: io.BytesIO(content))


def test_a_file_on_the_host_gets_no_set_id_bits(tmp_path: pathlib.Path) -> None:
    item = _file(b"text", size=4, mode=0o6755)
    copy_all([item], HostDestination(os.fsencode(tmp_path / "file")))
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o755


def test_a_file_that_grows_or_shrinks_is_copied_as_it_was_read(tmp_path: pathlib.Path) -> None:
    grows = _file(b"longer", size=4)
    copy_all([grows], HostDestination(os.fsencode(tmp_path / "grows")))
    assert (tmp_path / "grows").read_bytes() == b"long"
    shrinks = _file(b"short", size=9)
    copy_all([shrinks], HostDestination(os.fsencode(tmp_path / "shrinks")))
    assert (tmp_path / "shrinks").read_bytes() == b"short"

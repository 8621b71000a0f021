# SPDX-License-Identifier: MIT
"""Copies from a source to a destination: `sources` and `destinations` together."""

from __future__ import annotations

import io
import os
import pathlib
import stat
import tarfile
from typing import Any

import pytest

from sandbox.errors import CorruptData, SandboxError
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_writer import write_tar
from sandbox.runtime.copy.destinations import (
    HostDestination,
    TreeDestination,
    copy_all,
    pack_entries,
)
from sandbox.runtime.copy.sources import Item, host_items, tar_items, tree_items
from tests.unit.runtime.faketree import FakeTree


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "source"
    (root / "d/e").mkdir(parents=True)
    (root / "d/file").write_bytes(b"content")
    (root / "d/file").chmod(0o640)
    os.link(root / "d/file", root / "d/second")
    os.symlink("file", root / "d/link")
    os.mkfifo(root / "d/pipe")
    (root / os.fsdecode(b"d/\xff\xfe")).write_bytes(b"odd")
    os.utime(root / "d/file", ns=(10**9, 123456789012345678))
    (root / "d/e").chmod(0o555)
    return root


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


def test_a_container_s_tree_becomes_a_tar_with_owners_devices_and_xattrs(
    source: pathlib.Path,
) -> None:
    tree: Any = FakeTree(source)
    tree.mknod(b"/d/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    tree.chown(b"/d/file", 33, 44)
    tree.chmod(b"/d/file", 0o4755)
    tree.facts[b"/d/file"]["xattrs"] = {b"user.a": b"\x00\xff"}
    output = io.BytesIO()
    write_tar(pack_entries(tree_items(tree, b"/d"), b"top"), output.write)
    output.seek(0)
    with tarfile.open(fileobj=output) as archive:
        members = {member.name: member for member in archive}
    file = members["top/file"]
    assert (file.uid, file.gid, file.mode) == (33, 44, 0o4755)
    assert file.pax_headers["SCHILY.xattr.user.a"].encode(errors="surrogateescape") == (b"\x00\xff")
    null = members["top/null"]
    assert (null.type, null.devmajor, null.devminor) == (tarfile.CHRTYPE, 1, 3)
    assert (members["top/second"].type, members["top/second"].linkname) == (
        tarfile.LNKTYPE,
        "top/file",
    )
    assert members["top/link"].linkname == "file"
    assert os.fsdecode(b"top/\xff\xfe") in members


def test_a_tar_is_unpacked_into_a_container(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    output = io.BytesIO()
    write_tar(pack_entries(host_items(os.fsencode(source)), b""), output.write)
    output.seek(0)
    (tmp_path / "tree").mkdir()
    tree: Any = FakeTree(tmp_path / "tree")
    copy_all(tar_items(output.read), TreeDestination(tree, b"/", owner=None))
    with open(tree.open_file(b"/d/second"), "rb") as file:
        assert file.read() == b"content"


def test_a_link_at_the_top_is_copied_as_a_link_unless_followed(
    source: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    link = os.fsencode(source / "d/link")
    copy_all(host_items(link), HostDestination(os.fsencode(tmp_path / "a")))
    assert (tmp_path / "a").is_symlink()
    copy_all(host_items(link, follow=True), HostDestination(os.fsencode(tmp_path / "b")))
    assert not (tmp_path / "b").is_symlink()
    assert (tmp_path / "b").read_bytes() == b"content"


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

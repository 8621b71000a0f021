# SPDX-License-Identifier: MIT
"""Where copied files come from."""

from __future__ import annotations

import io
import os
import pathlib
import stat
import tarfile
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.layers.tar_writer import write_tar
from sandbox.runtime.copy.destinations import (
    HostDestination,
    TreeDestination,
    copy_all,
    pack_entries,
)
from sandbox.runtime.copy.sources import host_items, tar_items, tree_items
from tests.unit.runtime.faketree import FakeTree


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


def test_a_directory_that_becomes_a_link_meanwhile_is_not_read_through(
    source: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret")
    content = b""
    for item in host_items(os.fsencode(source)):
        content += b"".join(data for _, data in item.chunks())
        if item.entry.name == b"d":
            (source / "d").rename(tmp_path / "moved")
            (source / "d").symlink_to(outside)
    assert b"secret" not in content


def test_a_file_that_became_a_pipe_is_an_error(source: pathlib.Path) -> None:
    [item] = [item for item in host_items(os.fsencode(source)) if item.entry.name == b"d/file"]
    (source / "d" / "file").unlink()
    os.mkfifo(source / "d" / "file")
    with pytest.raises(SandboxError, match="Stale"):
        list(item.chunks())

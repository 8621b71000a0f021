# SPDX-License-Identifier: MIT
from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.native.host_tree import HostTree
from tests.harness.cbuild import ROOT

OPENAT2 = 437
RESTRICT = ROOT / "tests" / "harness" / "restrict.py"


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


def test_a_file_is_opened_only_if_it_is_regular(tree: HostTree, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "top" / "pipe")
    (tmp_path / "top" / "link").symlink_to("file")
    (tmp_path / "top" / "file").write_text("content")
    for name, how in ((b"pipe", "Stale"), (b"link", "symbolic links"), (b".", "Stale")):
        with pytest.raises(OSError, match=how):
            tree.open_file(name)
    with tree.open_file(b"file") as file:
        assert file.read() == b"content"


def test_no_path_leaves_the_tree(tree: HostTree, tmp_path: Path) -> None:
    (tmp_path / "outside").touch()
    (tmp_path / "top" / "up").symlink_to("..")
    for path in (b"../outside", b"up/outside", b"a/../../outside"):
        with pytest.raises(OSError, match=r"cross-device|Not a directory|No such file"):
            tree.stat(path)


def test_a_mode_that_shuts_the_user_out_stays(tmp_path: Path) -> None:
    (tmp_path / "top" / "shut").mkdir(parents=True)
    (tmp_path / "top" / "shut" / "file").write_text("content")
    (tmp_path / "top" / "shut" / "file").chmod(0)
    (tmp_path / "top" / "shut").chmod(0)
    with HostTree(tmp_path / "top") as plain, pytest.raises(PermissionError):
        plain.stat(b"shut/file")
    with HostTree(tmp_path / "top", own=True) as own:
        with own.open_file(b"shut/file") as file:
            assert file.read() == b"content"
        own.mkdir(b"shut/inner")
        assert own.names(b"shut") == [b"file", b"inner"]
        own.chmod(b"shut/file", 0o604)
    assert stat.S_IMODE((tmp_path / "top" / "shut").stat().st_mode) == 0
    (tmp_path / "top" / "shut").chmod(0o700)
    assert stat.S_IMODE((tmp_path / "top" / "shut" / "file").stat().st_mode) == 0o604


def test_a_mode_of_a_link_is_not_changed(tree: HostTree, tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o600)
    (tmp_path / "top" / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic links"):
        tree.chmod(b"link", 0o666)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


@pytest.mark.parametrize("answer", [errno.ENOSYS, errno.EPERM])
def test_kernels_without_openat2_walk(tmp_path: Path, answer: int) -> None:
    (tmp_path / "top" / "a" / "b").mkdir(parents=True)
    (tmp_path / "top" / "a" / "b" / "file").write_text("content")
    (tmp_path / "top" / "a" / "link").symlink_to("b")
    code = """
import sys
from sandbox.native.host_tree import HostTree
tree = HostTree(sys.argv[1])
print(tree.open_file(b"a/b/file").read())
for path in (b"a/link/file", b"../top/a", b"a/none/file"):
    try:
        print(tree.stat(path))
    except OSError as exc:
        print(type(exc).__name__, exc.errno)
"""
    refused = [sys.executable, str(RESTRICT), "--refuse", str(OPENAT2), str(answer)]
    done = subprocess.run(
        [*refused, sys.executable, "-c", code, str(tmp_path / "top")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.splitlines() == [
        "b'content'",
        f"NotADirectoryError {errno.ENOTDIR}",
        f"OSError {errno.EXDEV}",
        f"FileNotFoundError {errno.ENOENT}",
    ]

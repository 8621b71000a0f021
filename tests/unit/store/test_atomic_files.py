# SPDX-License-Identifier: MIT
from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.errors import StoreFull
from sandbox.store import atomic_files
from sandbox.store.atomic_files import discard, leftovers, remove_tree, workspace, write_atomic
from sandbox.store.layout import Layout
from sandbox.store.lock import acquire


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "store")
    made.prepare()
    return made


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomic(layout.tags, b"old", layout=layout)

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_files.os, "fsync", full)
    with pytest.raises(StoreFull, match="No space left"):
        write_atomic(layout.tags, b"new", layout=layout)
    assert layout.tags.read_bytes() == b"old"
    assert os.listdir(layout.tmp) == []


def test_a_workspace_is_removed_after_the_block_also_on_an_error(layout: Layout) -> None:
    def fail(path: Path) -> None:
        (path / "deep" / "er").mkdir(parents=True)
        raise KeyError(path)

    with pytest.raises(KeyError), workspace(layout) as path:
        fail(path)
    assert os.listdir(layout.tmp) == []


def test_only_files_without_a_living_owner_are_leftovers(layout: Layout) -> None:
    child = os.fork()
    if child == 0:
        with workspace(layout):
            os._exit(0)  # as if killed
    os.waitpid(child, 0)
    (dead,) = layout.tmp.iterdir()
    with workspace(layout) as alive:
        found = leftovers_seen_elsewhere(layout)
        assert str(dead) in found
        assert str(alive) not in found


def leftovers_seen_elsewhere(layout: Layout) -> list[str]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, "\n".join(map(str, leftovers(layout))).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        found = pipe.read().decode().split("\n")
    os.waitpid(child, 0)
    return found


def test_a_young_small_file_is_not_a_leftover(layout: Layout) -> None:
    fresh, old = layout.tmp / "file-1", layout.tmp / "file-2"
    fresh.touch()
    old.touch()
    os.utime(old, (1, 1))
    assert leftovers(layout) == [old]


def test_a_small_file_is_a_leftover_as_soon_as_its_writer_was_killed(layout: Layout) -> None:
    child = os.fork()
    if child == 0:
        atomic_files.os.fsync = lambda _fd: os._exit(0)  # as if killed
        write_atomic(layout.tags, b"new", layout=layout)
    os.waitpid(child, 0)
    (left,) = layout.tmp.iterdir()
    assert leftovers(layout) == [left]


def test_a_small_file_has_an_owner_until_it_is_renamed(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename
    seen: list[str] = []

    def look(old: Path, new: Path) -> None:
        os.utime(old, (1, 1))
        seen.extend(leftovers_seen_elsewhere(layout))
        rename(old, new)

    monkeypatch.setattr(atomic_files.os, "rename", look)
    write_atomic(layout.tags, b"new", layout=layout)
    assert seen == [""]
    assert layout.tags.read_bytes() == b"new"


def test_a_workspace_that_is_being_removed_has_an_owner(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink
    seen: list[str] = []

    def look(path: str | Path) -> None:
        seen.extend(leftovers_seen_elsewhere(layout))
        unlink(path)

    with workspace(layout) as path:
        for name in "abcdefgh":
            (path / name).touch()
        monkeypatch.setattr(atomic_files.os, "unlink", look)
    assert set(seen) == {""}
    assert os.listdir(layout.tmp) == []


def test_very_deep_and_unreadable_trees_are_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=fd)
        deeper = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    os.close(fd)
    (top / "closed").mkdir()
    (top / "closed" / "file").touch()
    (top / "closed").chmod(0o000)
    (top / "link").symlink_to(tmp_path)
    remove_tree(top)
    assert not top.exists()
    assert tmp_path.exists()
    remove_tree(top)


def test_a_directory_that_becomes_a_link_meanwhile_is_not_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "file").touch()
    for name in ("a", "b", "c"):
        (tmp_path / "top" / name / "inner").mkdir(parents=True)
        (tmp_path / "top" / name / "inner" / "file").touch()
    scandir = os.scandir

    def exchange(fd: int) -> object:
        found = scandir(fd)
        for name in ("a", "b", "c"):
            folder = tmp_path / "top" / name
            if folder.is_dir() and not folder.is_symlink():
                folder.rename(tmp_path / f"moved-{name}")
                folder.symlink_to(outside)
        return found

    monkeypatch.setattr(os, "scandir", exchange)
    with suppress(OSError):  # it may find no end
        remove_tree(tmp_path / "top")
    assert os.listdir(outside) == ["file"]
    assert outside.stat().st_mode & 0o777 == 0o755


class FasterRemover:
    """Makes os.unlink, os.rename and os.rmdir fail as if another process had been faster."""

    def __init__(self, patch: pytest.MonkeyPatch, top: Path) -> None:
        self._unlink, self._rename, self._rmdir = os.unlink, os.rename, os.rmdir
        self._top = str(top)
        self.moved = 0
        for call in ("unlink", "rename", "rmdir"):
            patch.setattr(os, call, getattr(self, call))

    def unlink(self, path: str) -> None:
        self._unlink(path)
        raise FileNotFoundError(path)

    def rename(self, old: str, _new: str) -> None:
        self.moved += 1
        self._rename(old, f"{self._top}/.doomed-{self.moved}")
        raise FileNotFoundError(old)

    def rmdir(self, path: str) -> None:
        if path == self._top and self.moved < 5:  # the other process is still removing
            self.moved += 1
            os.mkdir(f"{self._top}/.doomed-{self.moved}")
        self._rmdir(path)


def test_two_processes_may_remove_a_tree_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "top"
    for folder in (top, top / "a", top / "a" / "b", top / "c"):
        folder.mkdir()
        for name in "12":
            (folder / name).touch()
    faster = FasterRemover(monkeypatch, top)
    remove_tree(top)
    assert not top.exists()
    assert faster.moved == 5


def test_a_small_file_of_a_living_slow_writer_is_not_a_leftover(layout: Layout) -> None:
    slow = layout.tmp / "file-3"
    with slow.open("w") as file:
        acquire(file.fileno())
        os.utime(slow, (1, 1))
        assert str(slow) not in leftovers_seen_elsewhere(layout)
    assert str(slow) in leftovers_seen_elsewhere(layout)


class Nfs:
    """Makes os.unlink and os.close handle open files like the kernel's NFS client."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._unlink, self._close = os.unlink, os.close
        patch.setattr(os, "unlink", self.unlink)
        patch.setattr(os, "close", self.close)

    def unlink(self, path: str | Path, *, dir_fd: int | None = None) -> None:
        text = os.fspath(path)
        if dir_fd is not None or not self._is_open(text):
            self._unlink(text, dir_fd=dir_fd)
        elif os.path.basename(text).startswith(".nfs"):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), text)
        else:
            os.rename(text, f"{os.path.dirname(text)}/.nfs{os.urandom(8).hex()}")

    def close(self, fd: int) -> None:
        link = os.readlink(f"/proc/self/fd/{fd}")
        self._close(fd)
        if "/.nfs" in link and os.path.exists(link) and not self._is_open(link):
            self._unlink(link)

    def _is_open(self, path: str) -> bool:
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                if os.path.samestat(os.fstat(int(name)), os.lstat(path)):
                    return True
        return False


def test_a_workspace_on_nfs_is_removed(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.prepare()
    Nfs(monkeypatch)
    with workspace(layout) as scratch:
        (scratch / "d").mkdir()
        (scratch / "d" / "f").touch()
    assert os.listdir(layout.tmp) == []


def test_the_next_sweep_removes_what_an_open_file_on_nfs_left(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.prepare()
    Nfs(monkeypatch)
    target = layout.root / "thing"
    (target / "a" / "b").mkdir(parents=True)
    (target / "a" / "b" / "f").touch()
    fd = os.open(target / "a" / "b" / "f", os.O_RDONLY)
    discard(target, layout=layout)
    assert not target.exists()
    [trash] = leftovers(layout)
    remove_tree(trash)
    assert trash.exists()
    os.close(fd)
    remove_tree(trash)
    assert leftovers(layout) == []


def test_a_directory_that_cannot_be_emptied_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "kept").touch()
    monkeypatch.setattr(os, "unlink", lambda *_, **__: None)
    with pytest.raises(OSError, match="not empty"):
        remove_tree(tmp_path / "top")

# SPDX-License-Identifier: MIT
"""Atomic changes of files: after a crash a file has either its old or its new content.

Rules: content is written to a temporary name on the same file system, synced, and renamed.
Unfinished work lives in a workspace. The lock of a workspace shows whether its owner still
runs. When an open file on NFS is removed, it stays as ``.nfs…`` in its directory until it is
closed, and so does the directory.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.store import removed_trees
from sandbox.store.lock import acquire, open_lock, store_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

_OWNER = "owner"
_MOMENT = 0.1  # seconds
_PIECE = 1024  # entries of a directory
_PATIENCE = 10.0  # seconds; ample time between the creation of a file and its lock
_MOVED = ".doomed-"
_ROOT = "."
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def write_atomic(path: Path, data: bytes, *, layout: Layout) -> None:
    """Replace the content of *path* by *data*; on failure *path* is unchanged."""
    temporary = layout.tmp / f"file-{os.urandom(8).hex()}"
    with map_os_errors(f"cannot write {path}"):
        try:
            fd = os.open(temporary, _NEW_FILE, 0o600)
            try:
                acquire(fd)
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
                os.rename(temporary, path)  # while locked, so that no cleanup takes it
            finally:
                os.close(fd)
            sync_directory(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def sync_directory(path: Path) -> None:
    """Sync the names in the directory *path* to disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(path: Path) -> None:
    """Sync the files and directories below *path* to disk, one by one."""
    for folder, _, names, fd in os.fwalk(path, follow_symlinks=False):
        del folder
        for name in names:
            if stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)
        os.fsync(fd)


def sync_file_system(path: Path) -> None:
    """Sync the whole file system of *path* to disk."""
    import ctypes

    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(fd) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), os.fspath(path))
    finally:
        os.close(fd)


@contextmanager
def workspace(layout: Layout, prefix: str = "") -> Iterator[Path]:
    """Give a new directory in the store's tmp/, which is deleted when the block ends."""
    path, lock = _make_workspace(layout, prefix)
    try:
        yield path
    finally:
        try:
            with suppress(FileNotFoundError):
                for name in os.listdir(path):
                    if name != _OWNER:  # the lock goes last
                        remove_tree(path / name)
            remove_tree(path)
        finally:
            os.close(lock)
            remove_tree(path)  # the lock's own file, which NFS keeps while it is open


def _make_workspace(layout: Layout, prefix: str) -> tuple[Path, int]:
    layout.prepare()
    path = layout.tmp / f"{prefix}{os.urandom(8).hex()}"
    # The store's lock keeps leftovers() from seeing a workspace that has no owner yet.
    with store_lock(layout), map_os_errors(f"cannot write in {layout.tmp}"):
        path.mkdir(0o700)
        try:
            lock = open_lock(path / _OWNER)
            acquire(lock)
        except OSError:
            remove_tree(path)
            raise
    return path, lock


def leftovers(layout: Layout) -> list[Path]:
    """Return the entries of tmp/ whose owner has ended. The caller holds the store's lock."""
    with map_os_errors(f"cannot read {layout.tmp}"):
        found = sorted(layout.tmp.iterdir()) if layout.tmp.is_dir() else []
        return [path for path in found if not is_owned(path)]


def is_owned(path: Path) -> bool:
    """Return whether an entry of tmp/ belongs to a running process."""
    try:
        fd = os.open(path / _OWNER, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except NotADirectoryError:
        return _is_being_written(path)
    except FileNotFoundError:
        return False
    try:
        return not acquire(fd, wait=False)
    finally:
        os.close(fd)


def _is_being_written(path: Path) -> bool:
    """Return whether a running `write_atomic` writes this temporary file."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if not acquire(fd, wait=False):
            return True
        status = os.fstat(fd)  # an empty, recent file: its writer may not hold the lock yet
        return status.st_size == 0 and time.time() - status.st_mtime < _PATIENCE
    finally:
        os.close(fd)


def discard(path: Path, *, layout: Layout) -> None:
    """Rename *path* away in one step, then delete it. A missing *path* is fine.

    What takes longer than a moment is deleted behind, by a process of its own (`removed_trees`).
    """
    with map_os_errors(f"cannot remove {path}"), suppress(FileNotFoundError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        trash = removed_trees.new_place(layout)
        os.rename(path, trash)
        try:
            remove_tree(trash, until=time.monotonic() + _MOMENT)
        except TimeoutError:
            removed_trees.sweep_behind(layout)


def remove_tree(path: Path, *, until: float | None = None) -> None:
    """Delete *path* and everything below it, however deep. A missing *path* is fine.

    Nested directories are first moved up to the top. This avoids recursion, and paths that are too
    long for the kernel. Several processes may remove the same tree at once; each continues until
    all is gone. Files that NFS keeps stay, in otherwise empty directories; a later call removes
    them. A stranger may change the tree meanwhile: each step goes through the descriptor of a
    directory, so nothing outside of the tree is touched. Raises TimeoutError at *until*, a time
    of `time.monotonic`; what is left can be removed later.
    """
    try:
        root = os.open(path, _FOLDER)
    except (FileNotFoundError, NotADirectoryError):  # or it is a symlink
        path.unlink(missing_ok=True)
        return
    try:
        _remove_all(root, os.fspath(path), until)
    finally:
        os.close(root)


def _remove_all(root: int, path: str, until: float | None) -> None:
    pending = [_ROOT]  # names in the root
    kept: set[str] = set()
    while pending:
        current = pending[-1]
        with suppress(FileNotFoundError), _opened(root, current) as folder:
            if current == _ROOT:
                _empty_root(folder, pending, kept, until)
            else:
                _empty(folder, root, pending, until)
        place = path if current == _ROOT else _in(root, current)
        if pending[-1] == current and _is_removed(place, current, root, kept):
            pending.pop()


def _in(folder: int, name: str) -> str:
    """Return a path that leads through a descriptor."""
    return f"/proc/self/fd/{folder}/{name}"


@contextmanager
def _opened(root: int, name: str) -> Iterator[int]:
    """Give a descriptor of a directory in the root, which the owner may read and change."""
    fd = os.open(name, _FOLDER, dir_fd=root)
    try:
        os.chmod(f"/proc/self/fd/{fd}", 0o700)
        yield fd
    finally:
        os.close(fd)


def _entries(folder: int, most: int | None = None) -> list[os.DirEntry[str]]:
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        with os.scandir(fd) as entries:
            if most is None:
                return list(entries)
            return list(islice((item for item in entries if not _is_held(item.name)), most))
    finally:
        os.close(fd)


def _check_time(until: float | None) -> None:
    if until is not None and time.monotonic() > until:
        raise TimeoutError


def _empty_root(root: int, pending: list[str], kept: set[str], until: float | None) -> None:
    """Delete the files; add the directories to *pending*."""
    for number, entry in enumerate(_entries(root)):
        if number % _PIECE == 0:
            _check_time(until)
        with suppress(FileNotFoundError):  # another process was faster
            if not entry.is_dir(follow_symlinks=False):
                _unlink(_in(root, entry.name))
            elif entry.name not in kept:
                pending.append(entry.name)


def _empty(folder: int, root: int, pending: list[str], until: float | None) -> None:
    """Delete the files, and move the directories to the root; a large folder piece by piece."""
    while entries := _entries(folder, _PIECE):
        _check_time(until)
        for entry in entries:
            with suppress(FileNotFoundError):  # another process was faster
                if not entry.is_dir(follow_symlinks=False):
                    _unlink(_in(folder, entry.name))
                    continue
                moved = f"{_MOVED}{os.urandom(8).hex()}"
                with _opened(folder, entry.name):  # a move needs write permission on it
                    os.rename(_in(folder, entry.name), _in(root, moved))
                pending.append(moved)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as exc:
        if exc.errno != errno.EBUSY or not _is_held(os.path.basename(path)):
            raise


def _is_removed(place: str, name: str, root: int, kept: set[str]) -> bool:
    """Remove the directory *place*, or add its *name* to *kept* if NFS keeps all its entries.

    Returns False if another process has just moved a directory into it.
    """
    with suppress(FileNotFoundError):
        try:
            os.rmdir(place)
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
                raise
            with _opened(root, name) as folder:
                names = [entry.name for entry in _entries(folder)]
            known = kept if name == _ROOT else set()
            left = [inner for inner in names if not _is_held(inner) and inner not in known]
            if any(inner.startswith(_MOVED) for inner in left):
                return False
            if left:
                raise
            if names:
                kept.add(name)
            else:
                os.rmdir(place)
    return True


def _is_held(name: str) -> bool:
    return name.startswith(".nfs")

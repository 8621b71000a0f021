# SPDX-License-Identifier: MIT
"""Files that are either the old or the new ones, whenever the power fails.

Rules: content goes to a temporary name of the same file system, is synced, and is
renamed into place. Work in progress lives in a workspace, whose lock tells a crashed
owner from a busy one. A file that is removed from NFS while somebody here has it open stays
as ``.nfs…`` in its directory, which cannot go before it is closed.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.store.lock import acquire, open_lock, store_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

_OWNER = "owner"
_PATIENCE = 10.0  # seconds; nobody needs so long from a file's name to its lock
_MOVED = ".doomed-"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def write_atomic(path: Path, data: bytes, *, layout: Layout) -> None:
    """Make *path* hold *data*, or leave it as it was."""
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
                os.rename(temporary, path)  # with its lock held: nobody takes it for left
            finally:
                os.close(fd)
            sync_directory(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def sync_directory(path: Path) -> None:
    """Make the names in *path* durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(path: Path) -> None:
    """Make the files and directories below *path* durable, one by one."""
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
    """Make everything written on the file system of *path* durable."""
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
    """Give a fresh directory in the store; it is gone when the block ends."""
    path, lock = _make_workspace(layout, prefix)
    try:
        yield path
    finally:
        try:
            with suppress(FileNotFoundError):
                for name in os.listdir(path):
                    if name != _OWNER:  # it is owned until nothing else is in it
                        remove_tree(path / name)
            remove_tree(path)
        finally:
            os.close(lock)
            remove_tree(path)  # the rest, if there is any: on NFS, the lock's own file


def _make_workspace(layout: Layout, prefix: str) -> tuple[Path, int]:
    layout.prepare()
    path = layout.tmp / f"{prefix}{os.urandom(8).hex()}"
    # Under the store's lock, so that leftovers() never sees one without its owner.
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
    """Return what crashed owners left in tmp/. The caller holds the store's lock."""
    with map_os_errors(f"cannot read {layout.tmp}"):
        found = sorted(layout.tmp.iterdir()) if layout.tmp.is_dir() else []
        return [path for path in found if not is_owned(path)]


def is_owned(path: Path) -> bool:
    """Return whether something in tmp/ belongs to a process that lives."""
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
    """Tell whether somebody lives who writes this temporary file of `write_atomic`."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if not acquire(fd, wait=False):
            return True
        status = os.fstat(fd)  # nothing is written before it is locked
        return status.st_size == 0 and time.time() - status.st_mtime < _PATIENCE
    finally:
        os.close(fd)


def discard(path: Path, *, layout: Layout) -> None:
    """Take *path* out of its place in one step, then delete it; missing is fine."""
    with map_os_errors(f"cannot remove {path}"), suppress(FileNotFoundError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        trash = layout.tmp / f"trash-{os.urandom(8).hex()}"
        os.rename(path, trash)
        remove_tree(trash)


def remove_tree(path: Path) -> None:
    """Delete *path* and all below it, however deep; what is missing is fine.

    Directories are first moved up next to each other: no recursion, no path longer
    than the kernel takes. Several processes may do it at once, as a removal and a sweep do:
    each goes on until all is gone. What NFS holds back stays, in directories that are
    otherwise empty: who calls this again later removes it.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    root = os.fspath(path)
    pending = [root]
    kept: set[str] = set()
    while pending:
        current = pending[-1]
        with suppress(FileNotFoundError):
            os.chmod(current, 0o700)
            _empty(current, root, pending, kept)
        if pending[-1] == current and _is_removed(current, kept):
            pending.pop()


def _empty(current: str, root: str, pending: list[str], kept: set[str]) -> None:
    with os.scandir(current) as entries:
        inner = list(entries)
    for entry in inner:
        with suppress(FileNotFoundError):  # somebody else was faster
            if not entry.is_dir(follow_symlinks=False):
                _unlink(entry.path)
            elif entry.path in kept:
                continue
            elif current == root:
                pending.append(entry.path)
            else:
                os.chmod(entry.path, 0o700)  # or it could not be moved
                moved = f"{root}/{_MOVED}{os.urandom(8).hex()}"
                os.rename(entry.path, moved)
                pending.append(moved)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as exc:
        if exc.errno != errno.EBUSY or not _is_held(os.path.basename(path)):
            raise


def _is_removed(path: str, kept: set[str]) -> bool:
    """Remove a directory; note it instead when NFS holds all that is in it.

    False when it has a directory again that somebody else has just moved into it.
    """
    with suppress(FileNotFoundError):
        try:
            os.rmdir(path)
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
                raise
            names = os.listdir(path)
            left = [name for name in names if not _is_held(name) and f"{path}/{name}" not in kept]
            if any(name.startswith(_MOVED) for name in left):
                return False
            if left:
                raise
            if names:
                kept.add(path)
            else:
                os.rmdir(path)
    return True


def _is_held(name: str) -> bool:
    return name.startswith(".nfs")

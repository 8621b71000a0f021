"""Locks between processes, on files.

Rules: flock(2) where it works; fcntl(2) locks where a network file system refuses
it. Locks vanish with their process, however it ends. They do not nest: whoever
holds the store's lock calls nothing that takes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

_NO_FLOCK = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF})


@contextmanager
def store_lock(layout: Layout) -> Iterator[None]:
    """Hold the store for one change; waits for whoever holds it now."""
    with map_os_errors(f"cannot lock the store {layout.root}"):
        fd = open_lock(layout.lock)
    try:
        with map_os_errors(f"cannot lock the store {layout.root}"):
            acquire(fd)
        yield
    finally:
        os.close(fd)


def open_lock(path: Path) -> int:
    """Open a lock file, made if missing; the caller closes it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def acquire(fd: int, *, wait: bool = True) -> bool:
    """Take the exclusive lock of an open file; False if it is held and not waited."""
    flags = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        _flock_or_lockf(fd, flags)
    except OSError as exc:
        if not wait and exc.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _flock_or_lockf(fd: int, flags: int) -> None:
    try:
        fcntl.flock(fd, flags)
    except OSError as exc:
        if exc.errno not in _NO_FLOCK:
            raise
        fcntl.lockf(fd, flags)

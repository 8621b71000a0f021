# SPDX-License-Identifier: MIT
"""Locks between processes, on files.

Rules: flock(2) is used, or, on network file systems that refuse it, open file description locks
of fcntl(2); both also exclude other openings in the same process. The kernel releases a lock
when its process ends. Locks do not nest: a holder of the store's lock calls nothing that takes
it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

# struct flock of x86-64: type, whence, start, length (0: to the end), pid
_WHOLE_FILE = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
_NO_FLOCK = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF})


@contextmanager
def store_lock(layout: Layout) -> Iterator[None]:
    """Hold the store's lock for one change; waits until it is free."""
    with map_os_errors(f"cannot lock the store {layout.root}"):
        fd = open_lock(layout.lock)
    try:
        with map_os_errors(f"cannot lock the store {layout.root}"):
            acquire(fd)
        yield
    finally:
        os.close(fd)


def open_lock(path: str | Path) -> int:
    """Open a lock file, after creating it if necessary. The caller closes it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def acquire(fd: int, *, wait: bool = True) -> bool:
    """Take the exclusive lock of an open file. Without *wait*, False means it is held."""
    flags = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        _flock_or_fcntl(fd, flags)
    except OSError as exc:
        if not wait and exc.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _flock_or_fcntl(fd: int, flags: int) -> None:
    try:
        fcntl.flock(fd, flags)
    except OSError as exc:
        if exc.errno not in _NO_FLOCK:
            raise
        request = fcntl.F_OFD_SETLK if flags & fcntl.LOCK_NB else fcntl.F_OFD_SETLKW
        fcntl.fcntl(fd, request, _WHOLE_FILE)

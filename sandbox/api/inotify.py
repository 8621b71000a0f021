# SPDX-License-Identifier: MIT
"""Hear of changes in one directory through inotify, without asking again and again.

Does not know: what changed; whoever listens looks.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_MODIFY, _CREATE, _MOVED_TO = 0x2, 0x100, 0x80


def watch(path: str) -> int | None:
    """Return a descriptor that becomes readable at every change; None if there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if fd < 0:
        return None
    if libc.inotify_add_watch(fd, os.fsencode(path), _MODIFY | _CREATE | _MOVED_TO) < 0:
        os.close(fd)
        return None
    return fd


def drain(fd: int) -> None:
    """Forget what has been heard."""
    with suppress(BlockingIOError):
        while os.read(fd, 65536):
            pass

# SPDX-License-Identifier: MIT
"""Report changes in directories through inotify.

One descriptor serves all directories of a server, because a user may have few of them.

Does not know: what changed; the listener reads the directory.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MODIFY, _CREATE, _MOVED_TO = 0x2, 0x100, 0x80
_EVENT = struct.Struct("iIII")  # inotify(7): watch, mask, cookie, length of the name
_EVERYTHING = -1  # the watch of an overflow of the kernel's queue


class Changes:
    """Calls back at every change in a directory; belongs to one event loop."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._heard: dict[int, list[Callable[[], None]]] = {}
        self._loop = asyncio.get_running_loop()
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._read)

    @contextmanager
    def watching(self, path: str, heard: Callable[[], None]) -> Iterator[bool]:
        """Call *heard* at changes within the block; give False if inotify is not available."""
        watch = -1
        if self._fd >= 0:
            mask = _MODIFY | _CREATE | _MOVED_TO
            watch = int(self._libc.inotify_add_watch(self._fd, os.fsencode(path), mask))
        if watch >= 0:  # a directory has one number, however many tasks watch it
            self._heard.setdefault(watch, []).append(heard)
        try:
            yield watch >= 0
        finally:
            if watch >= 0:
                self._leave(watch, heard)

    def _leave(self, watch: int, heard: Callable[[], None]) -> None:
        callbacks = self._heard[watch]
        callbacks.remove(heard)
        if not callbacks:
            del self._heard[watch]
            if self._fd >= 0:
                self._libc.inotify_rm_watch(self._fd, watch)

    def _read(self) -> None:
        changed: set[int] = set()
        with suppress(BlockingIOError):
            while data := os.read(self._fd, 65536):
                changed |= set(_watches(data))
        for watch in self._heard if _EVERYTHING in changed else changed:
            for heard in self._heard.get(watch, ()):
                heard()

    def close(self) -> None:
        """Stop watching."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1


def _watches(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        watch, _, _, length = _EVENT.unpack_from(data, place)
        yield watch
        place += _EVENT.size + length

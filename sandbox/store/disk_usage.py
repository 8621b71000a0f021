# SPDX-License-Identifier: MIT
"""The disk space that files take, counted as du(1) does.

Rules: allocated blocks count, not lengths. A file with several names counts once. A file that
vanishes during the count does not count.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BLOCK = 512


def disk_usage(paths: Iterable[Path], seen: set[tuple[int, int]] | None = None) -> int:
    """Return the bytes that *paths* and everything below them occupy.

    Files in *seen* (device, inode) do not count; files that count are added to it.
    """
    seen = set() if seen is None else seen
    total = 0
    pending: list[str] = []
    for path in paths:
        with suppress(OSError):
            total += _count(os.lstat(path), seen)
            if path.is_dir() and not path.is_symlink():
                pending.append(os.fspath(path))
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                total += _count_entry(entry, seen, pending)
    return total


def _count_entry(entry: os.DirEntry[str], seen: set[tuple[int, int]], pending: list[str]) -> int:
    with suppress(OSError):
        if entry.is_dir(follow_symlinks=False):
            pending.append(entry.path)
        return _count(entry.stat(follow_symlinks=False), seen)
    return 0


def _count(status: os.stat_result, seen: set[tuple[int, int]]) -> int:
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return 0
    seen.add(key)
    return status.st_blocks * _BLOCK

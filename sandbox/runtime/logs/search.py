# SPDX-License-Identifier: MIT
"""Find lines of a log file by time or from the end, without reading all of it.

Rules: the file holds lines that end with a newline. What is searched for may lie up to a block
before the line that is found, never behind it.

Does not know: what a line says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = 64 * 1024


def turning_point(file: BinaryIO, is_late: Callable[[bytes], bool | None]) -> tuple[int, int]:
    """Bisect the file by *is_late*, which is None for a line that cannot be judged.

    Return the start of an early line, or of the file, and the start of a later line that is late,
    or the end of the file. Where all early lines come before all late ones, everything before the
    first is early, and everything from the second on is late.
    """
    low, high = 0, os.fstat(file.fileno()).st_size
    limit = high
    while limit - low > _BLOCK:
        middle = (low + limit) // 2
        start, data, verdict = _judged(file, middle, high, is_late)
        if verdict is False:
            low = start + len(data)
            continue
        limit = middle
        if verdict:
            high = start
    return low, high


def _judged(
    file: BinaryIO, place: int, end: int, is_late: Callable[[bytes], bool | None]
) -> tuple[int, bytes, bool | None]:
    """Return the first line that starts behind *place* and can be judged; no verdict at *end*."""
    file.seek(place)
    start = place + len(file.readline())
    while start < end and (data := file.readline()):
        verdict = is_late(data)
        if verdict is not None:
            return start, data, verdict
        start += len(data)
    return end, b"", None


def backwards(file: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are whole before *end*, the last first, each with its offset."""
    rest, is_whole = b"", False  # of the part behind `end`
    while end > 0:
        size = min(_BLOCK, end)
        file.seek(end - size)
        data = file.read(size)
        if len(data) < size:  # it was truncated meanwhile
            return
        end -= size
        first, *others = (data + rest).split(b"\n")
        place = end + size + len(rest)
        for line in reversed(others):
            place -= len(line)
            if is_whole:
                yield place, line + b"\n"
            is_whole = True
            place -= 1
        rest = first
    if is_whole:
        yield 0, rest + b"\n"

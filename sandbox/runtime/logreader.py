"""Read back what `logfile` wrote, rotated files included.

Rules: a damaged line is passed over; a last line without an end is still being
written. Following ends when the container does (a callback says so).
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAP = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a container: its text has its newline, if it ended."""

    text: str
    stream: str
    time: str


@dataclass(frozen=True, slots=True)
class Span:
    """Which lines: RFC 3339 bounds (compared as text) and how many of the last."""

    since: str = ""
    until: str = ""
    tail: int | None = None

    def has(self, line: Line) -> bool:
        """Tell whether the line was written in this time."""
        return line.time >= self.since and (not self.until or line.time <= self.until)


def parse(data: bytes) -> Line | None:
    """Return the line in one record, None if it is damaged."""
    try:
        fields = json.loads(data)
        return Line(str(fields["log"]), str(fields["stream"]), str(fields["time"]))
    except (ValueError, KeyError, TypeError):
        return None


def read(path: str, span: Span, *, alive: Callable[[], bool] | None = None) -> Iterator[Line]:
    """Yield the lines of the log; with *alive* also those to come while it says so."""
    file = _open(path)
    old = _all(path, file)
    chosen: Iterator[Line] = (line for line in old if span.has(line))
    if span.tail is not None:
        chosen = iter(deque(chosen, maxlen=span.tail))
    yield from chosen
    if alive is None:
        if file is not None:
            file.close()
        return
    yield from _follow(path, file, span, alive)


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None


def _all(path: str, last: BinaryIO | None) -> Iterator[Line]:
    rotated: list[str] = []
    while os.path.exists(f"{path}.{len(rotated) + 1}"):
        rotated.append(f"{path}.{len(rotated) + 1}")
    for name in reversed(rotated):
        with suppress(FileNotFoundError), open(name, "rb") as file:
            yield from _lines(file)
    if last is not None:
        yield from _lines(last)


def _lines(file: BinaryIO) -> Iterator[Line]:
    while data := file.readline():
        if not data.endswith(b"\n"):
            file.seek(-len(data), os.SEEK_CUR)
            return
        line = parse(data)
        if line is not None:
            yield line


def _follow(
    path: str, file: BinaryIO | None, span: Span, alive: Callable[[], bool]
) -> Iterator[Line]:
    while True:
        # Asked before reading: what is written before the end is still read.
        goes_on = alive()
        replaced = file is None or _is_replaced(file, path)
        if file is not None:
            for line in _lines(file):
                if span.until and line.time > span.until:
                    return
                if span.has(line):
                    yield line
        if replaced:
            if file is not None:
                file.close()
            file = _open(path)
            if file is not None:
                continue
        if not goes_on:
            return
        time.sleep(_NAP)


def _is_replaced(file: BinaryIO, path: str) -> bool:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    if found.st_size < file.tell() and found.st_ino == os.fstat(file.fileno()).st_ino:
        file.seek(0)  # emptied in place
        return False
    return found.st_ino != os.fstat(file.fileno()).st_ino

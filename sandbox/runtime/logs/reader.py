# SPDX-License-Identifier: MIT
"""Read a container's log, with its rotated files.

Rules: the reader skips a damaged line. A last line without a newline is not complete yet.
Following ends with the container (a callback tells).
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAP = 0.05


class Line(Record, frozen=True):
    """One line of a container; the text includes its newline, if it has one."""

    text: str
    stream: str
    time: str


class Span(Record, frozen=True):
    """Which lines to read: RFC 3339 bounds (compared as text), and how many at the end."""

    since: str = ""
    until: str = ""
    tail: int | None = None

    def has(self, line: Line) -> bool:
        """Tell whether the line lies within the bounds."""
        return line.time >= self.since and (not self.until or line.time <= self.until)


def parse(data: bytes) -> Line | None:
    """Return the line of one record, or None if the record is damaged."""
    try:
        fields = json.loads(data)
        return Line(str(fields["log"]), str(fields["stream"]), str(fields["time"]))
    except (ValueError, KeyError, TypeError):
        return None


def read(path: str, span: Span, *, alive: Callable[[], bool] | None = None) -> Iterator[Line]:
    """Yield the lines of the log; with *alive* also new lines, as long as it returns true."""
    reader = Reader(path, span)
    try:
        yield from reader.past()
        if alive is None:
            return
        while not reader.is_over:
            # Ask before reading, so that the last lines before the end are still read.
            goes_on = alive()
            found = False
            for line in reader.fresh():
                found = True
                yield line
            if not goes_on and not found:
                return
            if not found:
                time.sleep(_NAP)
    finally:
        reader.close()


class Reader:
    """Reads one log: first the existing lines, then added ones; it never waits."""

    def __init__(self, path: str, span: Span) -> None:
        """Open the log, which may not exist yet."""
        self._path = path
        self._span = span
        self._file = _open(path)
        self.is_over = False  # a line was later than the bounds

    @property
    def directory(self) -> str:
        """Return the log's directory, whose changes may mean new lines."""
        return os.path.dirname(self._path)

    def past(self) -> Iterator[Line]:
        """Yield the existing lines."""
        old = _all(self._path, self._file)
        chosen: Iterator[Line] = (line for line in old if self._span.has(line))
        if self._span.tail is not None:
            chosen = iter(deque(chosen, maxlen=self._span.tail))
        yield from chosen

    def fresh(self) -> Iterator[Line]:
        """Yield the lines that were added since the last call."""
        replaced = self._file is None or _is_replaced(self._file, self._path)
        if self._file is not None:
            for line in _lines(self._file):
                if self._span.until and line.time > self._span.until:
                    self.is_over = True
                    return
                if self._span.has(line):
                    yield line
        if replaced:
            self.close()
            self._file = _open(self._path)
            if self._file is not None:
                yield from self.fresh()

    def close(self) -> None:
        """Close the log."""
        if self._file is not None:
            self._file.close()
            self._file = None


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


def _is_replaced(file: BinaryIO, path: str) -> bool:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    if found.st_size < file.tell() and found.st_ino == os.fstat(file.fileno()).st_ino:
        file.seek(0)  # the file was truncated in place
        return False
    return found.st_ino != os.fstat(file.fileno()).st_ino

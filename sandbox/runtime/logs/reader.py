# SPDX-License-Identifier: MIT
"""Read a container's log, with its rotated files.

Rules: the reader skips a damaged line. A last line without a newline is not complete yet.
Following ends with the container (a callback tells). Bounds and a tail are searched for: the
clock may have been set back by `_CLOCK_STEP` seconds at most while the container wrote.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from sandbox.models.record import Record
from sandbox.runtime.logs import search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAP = 0.05
_CLOCK_STEP = 60


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

    def widened(self) -> Span:
        """Return the bounds with the step of a clock; one that is no time is left out.

        >>> Span(since="1970-01-01T00:02:00.5Z", until="soon").widened()
        Span(since='1970-01-01T00:01:00', until='', tail=None)
        """
        return Span(_shifted(self.since, -_CLOCK_STEP), _shifted(self.until, _CLOCK_STEP + 1))


def _shifted(bound: str, seconds: int) -> str:
    """Move a time, without its fraction; return "" for what is no time."""
    if not bound:
        return ""
    from datetime import datetime, timedelta

    whole = bound[:19]
    try:
        moment = datetime.fromisoformat(whole)
        shifted = moment + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return ""
    return shifted.isoformat() if moment.isoformat() == whole else ""


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
        with ExitStack() as opened:
            files = [*_rotated(self._path, self._file, opened)]
            if self._file is not None:
                files.append(self._file)
            yield from _chosen(files, self._span)

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


def _rotated(path: str, last: BinaryIO | None, opened: ExitStack) -> Iterator[BinaryIO]:
    """Open the rotated files, the oldest first; one of them may have become what *last* was."""
    names: list[str] = []
    while os.path.exists(f"{path}.{len(names) + 1}"):
        names.append(f"{path}.{len(names) + 1}")
    for name in reversed(names):
        file = _open(name)
        if file is None:
            continue
        opened.enter_context(file)
        if last is None or not os.path.sameopenfile(file.fileno(), last.fileno()):
            yield file


def _chosen(files: list[BinaryIO], span: Span) -> Iterator[Line]:
    """Yield the lines within the bounds; leave the last file behind them."""
    wide = span.widened()
    count = span.tail
    if count is None:
        for file in files:
            file.seek(_beginning(file, wide))
    else:
        files, count = _go_to_tail(files, span, wide, count)
    lines = (line for file in files for line in _up_to(file, wide.until) if span.has(line))
    yield from lines if count is None else islice(lines, count)


def _beginning(file: BinaryIO, wide: Span) -> int:
    if not wide.since:
        return 0
    return search.turning_point(file, lambda data: _is_at_least(data, wide.since))[0]


def _is_at_least(data: bytes, bound: str) -> bool | None:
    line = parse(data)
    return None if line is None else line.time >= bound


def _up_to(file: BinaryIO, until: str) -> Iterator[Line]:
    for line in _lines(file):
        if until and line.time > until:
            return
        yield line


def _go_to_tail(
    files: list[BinaryIO], span: Span, wide: Span, count: int
) -> tuple[list[BinaryIO], int]:
    """Go to the last *count* lines: return the files that hold them, and how many there are."""
    found = 0
    for number in range(len(files) - 1, -1, -1):
        file = files[number]
        place, is_over = _end(file, wide), found == count
        lines = iter(()) if is_over else search.backwards(file, place)
        for start, data in lines:
            place = start
            line = parse(data)
            if line is None:
                continue
            found += span.has(line)
            is_over = found == count or bool(wide.since and line.time < wide.since)
            if is_over:
                break
        file.seek(place)
        if is_over:
            return files[number:], found
    return files, found


def _end(file: BinaryIO, wide: Span) -> int:
    """Return where the whole lines end that may lie within the bounds."""
    end = os.fstat(file.fileno()).st_size
    if wide.until:
        end = search.turning_point(file, lambda data: _is_at_least(data, wide.until))[1]
    return next((start + len(data) for start, data in search.backwards(file, end)), 0)


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

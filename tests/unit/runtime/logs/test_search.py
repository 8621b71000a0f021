# SPDX-License-Identifier: MIT
"""Lines are found by bisection and from the end; a large log is not read whole."""

from __future__ import annotations

import io
import os
import pathlib
from typing import BinaryIO

import pytest

from sandbox.runtime.logs import search
from sandbox.runtime.logs.reader import Reader, Span
from sandbox.runtime.logs.writer import records, stamp

COUNT = 20_000


class Counted:
    """A file that counts the bytes it is asked for."""

    def __init__(self, path: pathlib.Path) -> None:
        self.file: BinaryIO = path.open("rb")
        self.taken = 0

    def fileno(self) -> int:
        return self.file.fileno()

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        self.file.close()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.taken += len(data)
        return data

    def readline(self) -> bytes:
        data = self.file.readline()
        self.taken += len(data)
        return data


def numbered(path: pathlib.Path, count: int) -> pathlib.Path:
    path.write_bytes(b"".join(b"%d\n" % number for number in range(count)))
    return path


@pytest.mark.parametrize("wanted", [0, 1, 17, COUNT // 2, COUNT - 1, COUNT, COUNT * 2])
def test_bisection_leaves_early_lines_before_and_late_lines_behind(
    tmp_path: pathlib.Path, wanted: int
) -> None:
    path = numbered(tmp_path / "log", COUNT)
    data = path.read_bytes()
    with path.open("rb") as file:
        low, high = search.turning_point(file, lambda line: int(line) >= wanted)
    assert all(int(line) < wanted for line in data[:low].splitlines())
    assert all(int(line) >= wanted for line in data[high:].splitlines())
    assert high - low <= 64 * 1024 + len(b"20000\n")


def test_bisection_passes_over_lines_that_cannot_be_judged(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"1\n" * 50_000 + b"?\n" * 200_000 + b"9\n" * 50_000)
    with path.open("rb") as file:
        low, high = search.turning_point(
            file, lambda line: None if line == b"?\n" else int(line) > 5
        )
    assert low <= 100_000
    assert high >= 500_000


@pytest.mark.parametrize("end", ["", "unfinished"])
def test_lines_come_from_the_end_with_their_offsets(tmp_path: pathlib.Path, end: str) -> None:
    path = numbered(tmp_path / "log", COUNT)
    data = path.read_bytes()
    path.write_bytes(data + end.encode())
    with path.open("rb") as file:
        found = list(search.backwards(file, len(data) + len(end)))
    assert [line for _, line in reversed(found)] == data.splitlines(keepends=True)
    assert all(data[place : place + len(line)] == line for place, line in found)


def test_a_file_without_a_whole_line_has_none(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    for text in (b"", b"abc"):
        path.write_bytes(text)
        with path.open("rb") as file:
            assert list(search.backwards(file, len(text))) == []


@pytest.mark.parametrize(
    "span",
    [
        Span(tail=3),
        Span(since=stamp((COUNT - 90) * 10**9)),
        Span(until=stamp(90 * 10**9)),
        Span(until=stamp(COUNT * 10**9 // 2), tail=3),
        Span(since=stamp(2 * COUNT * 10**9), tail=3),
    ],
)
def test_a_few_lines_of_a_long_log_cost_a_few_blocks(tmp_path: pathlib.Path, span: Span) -> None:
    path = tmp_path / "log"
    path.write_bytes(
        b"".join(records([b"x" * 100], "stdout", second * 10**9)[0] for second in range(COUNT))
    )
    reader = Reader(os.fspath(path), span)
    counted = Counted(path)
    reader.close()
    reader._file = counted  # type: ignore[assignment]
    lines = list(reader.past())
    reader.close()
    assert len(lines) == len([s for s in range(COUNT) if _has(span, s)][-(span.tail or COUNT) :])
    assert counted.taken < 400_000
    assert path.stat().st_size > 3_000_000


def _has(span: Span, second: int) -> bool:
    moment = stamp(second * 10**9)
    return moment >= span.since and (not span.until or moment <= span.until)

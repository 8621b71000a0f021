# SPDX-License-Identifier: MIT
"""Container logs are written completely and can be read back."""

from __future__ import annotations

import errno
import os
import pathlib
from typing import TYPE_CHECKING

from sandbox.runtime.logs import reader
from sandbox.runtime.logs.reader import Span
from sandbox.runtime.logs.writer import LogFile

if TYPE_CHECKING:
    import pytest


def texts(path: pathlib.Path, span: Span | None = None) -> list[str]:
    return [line.text for line in reader.read(str(path), span or Span())]


def test_a_line_written_in_pieces_is_one_log_entry(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    log = LogFile(str(path))
    for piece in (b"a", b"b\nc", b"\n\n", b"end"):
        log.add("stdout", piece)
    log.add("stderr", b"other\n")
    assert texts(path) == ["ab\n", "c\n", "\n", "other\n"]
    log.close()
    assert texts(path)[-1] == "end"


def test_a_long_line_is_split_and_invalid_utf_8_is_replaced(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    log = LogFile(str(path))
    log.add("stdout", b"x" * 40_000 + b"\n\xff\n")
    log.close()
    assert [len(text) for text in texts(path)] == [16384, 16384, 7233, 2]
    assert texts(path)[-1] == "\ufffd\n"


def test_damaged_lines_are_skipped(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    log = LogFile(str(path))
    log.add("stdout", b"one\n")
    with path.open("ab") as file:
        file.write(b'{"log":"ha\n\0\0\n[]\n')
    log.add("stdout", b"two\n")
    log.close()
    with path.open("ab") as file:
        file.write(b'{"log":"unfinished')
    assert texts(path) == ["one\n", "two\n"]
    assert texts(path, Span(tail=1)) == ["two\n"]


def test_a_full_disk_keeps_whole_lines_and_counts_lost_ones(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    log = LogFile(str(path))
    log.add("stdout", b"first\n")
    real = os.write

    def full(fd: int, data: bytes) -> int:
        real(fd, bytes(data)[:10])  # half a line is written
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    log.add("stdout", b"kept\n")
    for _ in range(100):
        log.add("stdout", b"y" * 15_000 + b"\n")
    monkeypatch.setattr(os, "write", real)
    log.add("stdout", b"last\n")
    log.close()
    found = texts(path)
    assert found[:2] == ["first\n", "kept\n"]
    assert found[-1] == "last\n"
    (note,) = [text for text in found if "lines are lost" in text]
    lost = int(note[1:].split()[0])
    assert lost > 0
    assert lost + sum(text.startswith("y") for text in found) == 100

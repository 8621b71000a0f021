# SPDX-License-Identifier: MIT
r"""Write a container's output in Docker's json-file format: one object a line.

::

    {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}

Rules: one write with O_APPEND writes a whole line, so readers see no half line. When the disk
is full, lines wait in memory up to a limit. Lines beyond the limit are dropped and counted;
the count is logged as soon as there is room.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from json.encoder import encode_basestring

_LONGEST = 16 * 1024  # Docker splits lines here
_KEPT = 1024 * 1024


def stamp(nanoseconds: int) -> str:
    """Return a time in nanoseconds since 1970 as RFC 3339.

    >>> stamp(1_000_000_005)
    '1970-01-01T00:00:01.000000005Z'
    """
    seconds, rest = divmod(nanoseconds, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09}Z"


def records(lines: list[bytes], stream: str, moment: int) -> list[bytes]:
    r"""Return the records of a container's lines.

    >>> records([b'"\xff\n'], "stdout", 5)[0].decode()
    '{"log":"\\"\ufffd\\n","stream":"stdout","time":"1970-01-01T00:00:00.000000005Z"}\n'
    """
    end = f',"stream":"{stream}","time":"{stamp(moment)}"}}\n'
    shown = [f'{{"log":{encode_basestring(line.decode("utf-8", "replace"))}' for line in lines]
    return [(text + end).encode() for text in shown]


def cut(text: bytes) -> tuple[list[bytes], bytes]:
    r"""Split data into lines that are complete or of the greatest length, and the rest.

    >>> cut(b"a\nb\nc")
    ([b'a\n', b'b\n'], b'c')
    """
    lines = []
    *whole, rest = text.split(b"\n")
    for line in whole:
        longer = line + b"\n"
        while len(longer) > _LONGEST:
            lines.append(longer[:_LONGEST])
            longer = longer[_LONGEST:]
        lines.append(longer)
    while len(rest) >= _LONGEST:
        lines.append(rest[:_LONGEST])
        rest = rest[_LONGEST:]
    return lines, rest


class LogFile:
    """The log of one container."""

    def __init__(self, path: str, *, max_size: int = 0, max_file: int = 1) -> None:
        """Append to the file at *path*, which may not exist; *max_size* 0 is no limit."""
        self._path = path
        self._max_size = max_size
        self._max_file = max_file
        self._partial = {"stdout": b"", "stderr": b""}
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._lost = 0
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._fd).st_size

    def add(self, stream: str, data: bytes) -> None:
        """Log the data that arrived; an incomplete line waits for its end."""
        lines, self._partial[stream] = cut(self._partial[stream] + data)
        if lines or self._waiting or self._lost:
            self._write(records(lines, stream, time.time_ns()))

    def finish(self) -> None:
        """Log the incomplete lines, whose end will not come."""
        now = time.time_ns()
        for stream, text in self._partial.items():
            if text:
                self._partial[stream] = b""
                self._write(records([text], stream, now))

    def close(self) -> None:
        """Write the incomplete lines and close the file."""
        self.finish()
        os.close(self._fd)

    def _write(self, fresh: list[bytes]) -> None:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        note = []
        if self._lost:
            text = f"[{self._lost} lines are lost: the log could not be written]\n"
            note = records([text.encode()], "stderr", time.time_ns())
        batch = [*waiting, *note, *fresh]
        if not self._max_size:
            if not self._append(b"".join(batch)):
                self._keep([*waiting, *fresh])
            elif batch:
                self._lost = 0
            return
        failed = [item for item in batch if not self._append(item)]
        if not failed:
            self._lost = 0
        self._keep([item for item in failed if item not in note])

    def _append(self, data: bytes) -> bool:
        if self._max_size and self._size and self._size + len(data) > self._max_size:
            self._rotate()
        try:
            count = os.write(self._fd, data)
        except OSError:
            count = 0
        if count == len(data):
            self._size += count
            return True
        # Never write half a line: readers would take it for damage.
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
        return False

    def _keep(self, records: list[bytes]) -> None:
        for item in records:
            if self._waiting_size + len(item) <= _KEPT:
                self._waiting.append(item)
                self._waiting_size += len(item)
            else:
                self._lost += 1

    def _rotate(self) -> None:
        with suppress(OSError):
            for number in range(self._max_file - 1, 0, -1):
                older = f"{self._path}.{number - 1}" if number > 1 else self._path
                with suppress(FileNotFoundError):
                    os.rename(older, f"{self._path}.{number}")
            if self._max_file == 1:
                os.ftruncate(self._fd, 0)
                self._size = 0
                return
            os.close(self._fd)
            self._open()

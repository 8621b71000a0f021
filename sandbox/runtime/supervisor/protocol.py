# SPDX-License-Identifier: MIT
"""The control protocol between commands and supervisors (docs/control-protocol.md).

A connection starts with one JSON line from the client and one JSON line as the answer. After
``attach`` both sides send frames in Docker's format: stream number, three zeros, length, data.

Pure except `connect` and `listen`, which also handle paths too long for AF_UNIX.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.errors import CorruptData, map_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

Data = TypeVar("Data", bytes, memoryview)

STDIN, STDOUT, STDERR, CONTROL = range(4)
_HEADER = struct.Struct(">BxxxI")
_LONGEST_FRAME = 16 * 1024 * 1024
LONGEST_LINE = 65536
_LONGEST_PATH = 100  # AF_UNIX takes 107 bytes


def frame(stream: int, data: bytes | memoryview) -> bytes:
    """Return *data* as one frame.

    >>> frame(STDOUT, b"hi").hex()
    '01000000000000026869'
    """
    return header(stream, len(data)) + data


def header(stream: int, length: int) -> bytes:
    """Return the header of a frame with *length* bytes of data."""
    return _HEADER.pack(stream, length)


def line(message: dict[str, Any]) -> bytes:
    """Return *message* as one line of JSON."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def parse_line(data: bytes) -> dict[str, Any]:
    """Return the message of one line, or raise `CorruptData`."""
    try:
        message = json.loads(data)
    except ValueError as exc:
        raise CorruptData(f"control message: {exc}") from exc
    if not isinstance(message, dict):
        raise CorruptData("control message: not an object")
    return message


def send_frame(connection: socket.socket, stream: int, data: bytes | memoryview) -> bytes:
    """Send the part of a frame that a non-blocking connection takes now; return the rest."""
    header = _HEADER.pack(stream, len(data))
    try:
        count = connection.sendmsg([header, data])
    except BlockingIOError:
        count = 0
    if count >= len(header):
        return bytes(data[count - len(header) :])
    return header[count:] + data


class Frames:
    """Parses frames from pieces of any size."""

    def __init__(self) -> None:
        """Start at the beginning of a frame."""
        self._header = b""
        self._stream = 0
        self._missing = 0  # bytes of the present frame that have not arrived
        self._held = b""  # the arrived part of a control frame

    def feed(self, data: Data) -> Iterator[tuple[int, Data | bytes]]:
        """Yield (stream, data): control frames whole, other frames in pieces as they arrive.

        Empty data stands for a frame without data. Only control frames are copied: a yielded
        view is valid until the caller fills its buffer again.
        """
        at = 0
        while True:
            if not self._missing:
                needed = _HEADER.size - len(self._header)
                self._header += bytes(data[at : at + needed])
                at += needed
                if len(self._header) < _HEADER.size:
                    return
                self._begin()
                if not self._missing:
                    yield self._stream, b""
                    continue
            piece = data[at : at + self._missing]
            if not piece:
                return
            at += len(piece)
            self._missing -= len(piece)
            if self._stream != CONTROL:
                yield self._stream, piece
                continue
            self._held += bytes(piece)
            if not self._missing:
                whole, self._held = self._held, b""
                yield CONTROL, whole

    def _begin(self) -> None:
        stream, length = _HEADER.unpack(self._header)
        if stream > CONTROL or length > _LONGEST_FRAME:
            raise CorruptData("control protocol: not a frame")
        self._header, self._stream, self._missing = b"", stream, length


def listen(path: str) -> socket.socket:
    """Return a listening socket at *path*, for this user only."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with map_os_errors(f"cannot make {path}"):
        if os.path.lexists(path):
            os.unlink(path)
        old = os.umask(0o177)
        try:
            _with_short_path(path, listener.bind)
        finally:
            os.umask(old)
        listener.listen(128)
    listener.setblocking(False)
    return listener


def connect(path: str) -> socket.socket:
    """Return a connection to the socket at *path*."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        _with_short_path(path, client.connect)
    except OSError:
        client.close()
        raise
    return client


def _with_short_path(path: str, use: Any) -> None:
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        use(path)
        return
    fd = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        use(f"/proc/self/fd/{fd}/{os.path.basename(path)}")
    finally:
        os.close(fd)


def read_line(connection: socket.socket) -> bytes:
    """Read the answer's line and not one byte more; return b"" if the other side is gone."""
    received = bytearray()
    while not received.endswith(b"\n") and len(received) < LONGEST_LINE:
        piece = connection.recv(1)
        if not piece:
            return b""
        received += piece
    return bytes(received)

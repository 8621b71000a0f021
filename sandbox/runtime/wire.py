"""The words of the control protocol (docs/control-protocol.md).

A connection starts with one JSON line from the client and one back. After ``attach``
both sides send frames, Docker's: stream number, three zeros, length, data.

Pure but for `connect` and `listen`, which also reach paths too long for AF_UNIX.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any

from sandbox.errors import CorruptData, map_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Return what stands before *length* bytes of data in a frame."""
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


class Frames:
    """Puts frames together from whatever pieces arrive."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (stream, data) of every frame that is complete now."""
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._buffer)
            if stream > CONTROL or length > _LONGEST_FRAME:
                raise CorruptData("control protocol: not a frame")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield stream, content


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
    """Return the answer's line, not one byte more; empty when the other side is gone."""
    received = bytearray()
    while not received.endswith(b"\n") and len(received) < LONGEST_LINE:
        piece = connection.recv(1)
        if not piece:
            return b""
        received += piece
    return bytes(received)

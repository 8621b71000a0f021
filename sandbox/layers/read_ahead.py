# SPDX-License-Identifier: MIT
"""Reads a stream ahead in a thread, so that decompression overlaps with writing files.

How it works: the thread fills a short queue of pieces; the reader empties it. Decoders, hashlib
and read(2) release the interpreter lock, so both really run in parallel.

Rules: an exception in the thread is raised by read() at its place in the stream. close() ends
the thread; after it the source is not used any more.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.models.closable import Closing

if TYPE_CHECKING:
    from sandbox.layers.byte_streams import Readable

_PIECE = 1024 * 1024
_PIECES = 3  # that the queue may hold


class ReadAhead(Closing):
    """Reads *source* in a thread. *source* must return full reads until its end."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._queue: queue.Queue[bytes | BaseException] = queue.Queue(_PIECES)
        self._stop = threading.Event()
        self._piece = b""
        self._at = 0
        self._end: BaseException | None = None
        self._is_ended = False
        self._thread = threading.Thread(target=self._fill, name="read-ahead", daemon=True)
        self._thread.start()

    def read(self, size: int, /) -> bytes:
        """Return *size* bytes, fewer only at the end."""
        end = self._at + size
        if end <= len(self._piece):
            data = self._piece[self._at : end]
            self._at = end
            return data
        parts = [self._piece[self._at :]]
        left = size - len(parts[0])
        self._piece, self._at = b"", 0
        while left and (piece := self._next()):
            parts.append(piece[:left])
            if len(piece) > left:
                self._piece, self._at = piece, left
            left -= len(parts[-1])
        return b"".join(parts)

    def peek(self) -> tuple[bytes, int]:
        """Return a buffer and the offset in it of the next bytes; b"" only at the end."""
        if self._at == len(self._piece):
            self._piece, self._at = self._next(), 0
        return self._piece, self._at

    def skip(self, size: int) -> None:
        """Skip *size* bytes that peek() returned."""
        self._at += size

    def drain(self) -> None:
        """Read the rest."""
        self._piece, self._at = b"", 0
        while self._next():
            pass

    def close(self) -> None:
        """Stop reading; when this returns, the thread has ended."""
        self._stop.set()
        while self._thread.is_alive():
            with suppress(queue.Empty):
                self._queue.get(timeout=0.05)
            self._thread.join(0)

    def _next(self) -> bytes:
        if self._end is not None:
            raise self._end
        if self._is_ended:
            return b""
        piece = self._queue.get()
        if isinstance(piece, bytes):
            self._is_ended = not piece
            return piece
        self._end = piece
        raise piece

    def _fill(self) -> None:
        try:
            while not self._stop.is_set():
                piece = self._source.read(_PIECE)
                self._queue.put(piece)
                if not piece:
                    return
        except BaseException as exc:  # noqa: BLE001 - raised again by the reader
            self._queue.put(exc)

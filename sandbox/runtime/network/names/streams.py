# SPDX-License-Identifier: MIT
"""Questions over TCP: messages with their length in front.

Rules: the number of connections is bounded, also for each container. An idle one is closed.
While many answers wait to be read, no question is read.

Does not know: what is answered.
"""

from __future__ import annotations

import errno
from collections import Counter
from typing import TYPE_CHECKING

from sandbox.runtime.network.names.loop import READ, WRITE
from sandbox.runtime.network.names.messages import LARGEST

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sandbox.runtime.network.names.loop import Loop, Timer
    from sandbox.runtime.network.names.name_book import Asker

_IDLE = 10.0
_MOST = 256
_MOST_OF_ONE = 64
_TOO_MUCH = 1 << 16
_REST = 1.0
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Streams:
    """The listener and its connections.

    *admit* says which container an address belongs to. *ask* takes a question and calls back with
    its answer.
    """

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        admit: Callable[[tuple[str, int]], Asker | None],
        ask: Callable[[Asker, bytes, Callable[[bytes], None]], None],
    ) -> None:
        """Accept connections."""
        self.loop = loop
        self.ask = ask
        self._admit = admit
        self._listener = listener
        self._open: Counter[int] = Counter()
        listener.setblocking(False)
        self._listen()

    @property
    def count(self) -> int:
        """Return how many connections are open."""
        return self._open.total()

    def _listen(self) -> None:
        self.loop.watch(self._listener, READ, self._accept)

    def _accept(self, _mask: int) -> None:
        try:
            sock, peer = self._listener.accept()
        except OSError as exc:
            if exc.errno in _FULL:  # until connections were closed
                self.loop.watch(self._listener, 0, None)
                self.loop.after(_REST, self._listen)
            return
        asker = self._admit(peer)
        if asker is None or self.count >= _MOST or self._open[asker.number] >= _MOST_OF_ONE:
            sock.close()
            return
        self._open[asker.number] += 1
        _Connection(self, sock, asker)

    def closed(self, asker: Asker) -> None:
        """Count one connection less."""
        self._open[asker.number] -= 1
        if self._open[asker.number] <= 0:
            del self._open[asker.number]


class _Connection:
    def __init__(self, streams: Streams, sock: socket.socket, asker: Asker) -> None:
        self._streams = streams
        self._sock = sock
        self._asker = asker
        self._in = b""
        self._out = b""
        self._asked = 0
        self._ended = False
        self._timer: Timer | None = None
        sock.setblocking(False)
        self._go_on()

    def _go_on(self) -> None:
        if self._sock.fileno() < 0:
            return
        if self._ended and not self._asked and not self._out:
            self._close()
            return
        wants = READ if not self._ended and len(self._out) < _TOO_MUCH else 0
        self._streams.loop.watch(self._sock, wants | (WRITE if self._out else 0), self._serve)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._streams.loop.after(_IDLE, self._close)

    def _serve(self, mask: int) -> None:
        try:
            if mask & WRITE:
                self._out = self._out[self._sock.send(self._out) :]
            if mask & READ:
                data = self._sock.recv(LARGEST)
                self._in += data
                self._ended = not data
        except BlockingIOError:
            return
        except OSError:
            self._close()
            return
        self._take()
        self._go_on()

    def _take(self) -> None:
        while len(self._in) >= 2 and self._sock.fileno() >= 0:
            length = int.from_bytes(self._in[:2], "big")
            if length > LARGEST:
                self._close()
                return
            if len(self._in) < 2 + length:
                return
            message, self._in = self._in[2 : 2 + length], self._in[2 + length :]
            self._asked += 1
            self._streams.ask(self._asker, message, self._answer)

    def _answer(self, message: bytes) -> None:
        self._asked -= 1
        if self._sock.fileno() < 0:
            return
        if message:
            self._out += len(message).to_bytes(2, "big") + message
        self._go_on()

    def _close(self) -> None:
        if self._sock.fileno() < 0:
            return
        if self._timer is not None:
            self._timer.stop()
        self._streams.loop.watch(self._sock, 0, None)
        self._sock.close()
        self._streams.closed(self._asker)

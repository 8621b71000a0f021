# SPDX-License-Identifier: MIT
"""Forward questions about other names to the machine's servers, or to those of ``--dns``.

How it works: each question goes out from a socket of its own, so from a port that cannot be
foreseen, with a number of its own. The servers are asked in turn, until one knows an answer.

Rules: a bounded number of questions waits, of all containers and of each one. An answer that does
not fit the question is dropped, and the wait goes on.

Does not know: who asks, or which names containers have.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.models.record import Record
from sandbox.runtime.network.names import messages
from sandbox.runtime.network.names.loop import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.runtime.network.names.loop import Loop, Timer

SERVERS = 3  # Docker asks so many
_PATIENCE = 2.0  # for each server; resolvers themselves wait for 5 seconds
_MOST = 512
_MOST_OF_ONE = 128
_PORT = 53


class Route(Record, frozen=True):
    """Where a server is reached, and from which local address (empty: any)."""

    address: str
    port: int = _PORT
    source: str = ""
    on_bound: Callable[[int, bool], None] | None = None
    """Called with the local port before a datagram goes out, and when the socket is closed."""


class Upstreams:
    """The questions that wait for other servers."""

    def __init__(self, loop: Loop) -> None:
        """Wait in *loop*."""
        self.loop = loop
        self._waiting: Counter[int] = Counter()

    def ask(
        self,
        asker: int,
        message: bytes,
        routes: Sequence[Route],
        done: Callable[[bytes], None],
        *,
        stream: bool,
    ) -> None:
        """Call *done* with the answer of the first server that knows one; empty: none does."""
        if self._waiting.total() >= _MOST or self._waiting[asker] >= _MOST_OF_ONE:
            done(b"")
            return
        self._waiting[asker] += 1

        def over(answer: bytes) -> None:
            self._waiting[asker] -= 1
            if self._waiting[asker] <= 0:
                del self._waiting[asker]
            done(answer)

        _Wait(self.loop, message, list(routes[:SERVERS]), over, stream=stream).next()


class _Wait:
    """One question, and the server that is being asked."""

    def __init__(
        self,
        loop: Loop,
        message: bytes,
        routes: list[Route],
        done: Callable[[bytes], None],
        *,
        stream: bool,
    ) -> None:
        self._loop = loop
        self._number = messages.number_of(message)
        self._message = messages.numbered(message, int.from_bytes(os.urandom(2), "big"))
        self._routes = routes
        self._done = done
        self._stream = stream
        self._route: Route | None = None
        self._sock: socket.socket | None = None
        self._port = 0
        self._timer: Timer | None = None
        self._out = b""
        self._in = b""

    def next(self) -> None:
        """Ask the next server; without one, the question has no answer."""
        self._leave()
        while self._routes:
            with suppress(OSError):
                self._begin(self._routes.pop(0))
                self._timer = self._loop.after(_PATIENCE, self.next)
                return
            self._leave()
        self._done(b"")

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._sock is not None:
            self._loop.watch(self._sock, 0, None)
            self._sock.close()
            if self._route is not None and self._route.on_bound is not None and not self._stream:
                self._route.on_bound(self._port, False)
        self._sock = None

    def _begin(self, route: Route) -> None:
        family = socket.AF_INET6 if ":" in route.address else socket.AF_INET
        kind = socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM
        self._route = route
        self._sock = socket.socket(family, kind)
        self._sock.setblocking(False)
        if route.source:
            self._sock.bind((route.source, 0))
            self._port = self._sock.getsockname()[1]
            if route.on_bound is not None and not self._stream:
                route.on_bound(self._port, True)
        with suppress(BlockingIOError):
            self._sock.connect((route.address, route.port))
        if self._stream:
            self._out = len(self._message).to_bytes(2, "big") + self._message
            self._in = b""
            self._loop.watch(self._sock, WRITE, self._write)
        else:
            self._sock.send(self._message)
            self._loop.watch(self._sock, READ, self._receive)

    def _receive(self, _mask: int) -> None:
        assert self._sock is not None
        try:
            answer = self._sock.recv(0xFFFF)
        except BlockingIOError:
            return
        except OSError:
            self.next()
            return
        self._take(answer)

    def _write(self, _mask: int) -> None:
        assert self._sock is not None
        try:
            self._out = self._out[self._sock.send(self._out) :]
        except BlockingIOError:
            return
        except OSError:
            self.next()
            return
        if not self._out:
            self._loop.watch(self._sock, READ, self._read)

    def _read(self, _mask: int) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(0xFFFF)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._in += data
        length = 2 + messages.number_of(self._in)
        if len(self._in) >= max(2, length):
            self._take(self._in[2:length])
        elif not data:
            self.next()

    def _take(self, answer: bytes) -> None:
        if not messages.is_answer(answer, self._message):
            if self._stream:
                self.next()
            return
        if not messages.is_final(answer):
            self.next()
            return
        self._leave()
        self._done(messages.numbered(answer, self._number))

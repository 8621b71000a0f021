# SPDX-License-Identifier: MIT
"""A proxy in front of a registry that breaks answers on purpose.

A test gives a function that takes each request and returns a `Fault` or None. The proxy passes
the Host header on, so the registry's links lead through the proxy again.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import socket
import struct
import sys
import termios
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.harness.polling import until
from tests.harness.registry import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.harness.registry import Server


@dataclass(frozen=True)
class Fault:
    """What to do to an answer, or to a request."""

    status: int | None = None  # answer this instead of asking the registry
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    reset_after: int | None = None  # bytes of the body, then a reset; 0: not even a head
    end_after: int | None = None  # bytes of the body, then an orderly end
    flip_request: int | None = None  # change the byte at this place of the request's body
    flip: int | None = None  # change the byte at this place of the body
    trickle: float | None = None  # seconds before each byte
    reset_request_after: int | None = None  # bytes of the request's body


@dataclass
class Seen:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    sent: int = 0  # bytes of the answer's body


@dataclass
class Proxy:
    """A running proxy."""

    server: Server
    decide: Callable[[Seen], Fault | None]
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        """The registry behind the proxy, as image names write it."""
        return f"127.0.0.1:{self.port}"

    def blob_requests(self) -> list[Seen]:
        """Return the requests for blobs."""
        return [item for item in self.seen if item.method == "GET" and "/blobs/sha256" in item.path]

    def blob_bytes(self) -> int:
        """Return how many bytes of blobs the proxy has sent."""
        return sum(item.sent for item in self.blob_requests())


class Nth:
    """A decision for the first *count* requests that *matches* accepts."""

    def __init__(self, matches: Callable[[Seen], bool], fault: Fault, count: int = 1) -> None:
        self._matches = matches
        self._fault = fault
        self._left = count

    def __call__(self, seen: Seen) -> Fault | None:
        if self._left and self._matches(seen):
            self._left -= 1
            return self._fault
        return None


def never(_: Seen) -> Fault | None:
    """Break nothing."""
    return None


@contextlib.contextmanager
def before(server: Server, decide: Callable[[Seen], Fault | None] = never) -> Iterator[Proxy]:
    """Run a proxy in front of *server* until the block ends."""
    proxy = Proxy(server, decide)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with contextlib.suppress(OSError):
                super().handle_one_request()
                return
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _serve(self) -> None:
            seen = Seen(self.command, self.path, dict(self.headers.items()))
            with proxy.lock:
                proxy.seen.append(seen)
                fault = proxy.decide(seen) or Fault()
            body = self._request_body(fault)
            if body is None:
                return
            if fault.status is not None:
                self._head(fault.status, [*fault.headers, ("Content-Length", str(len(fault.body)))])
                self.wfile.write(fault.body)
                return
            upstream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=100)
            try:
                upstream.request(self.command, self.path, body, seen.headers)
                self._answer(upstream.getresponse(), fault, seen)
            finally:
                upstream.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def _request_body(self, fault: Fault) -> bytes | None:
            length = int(self.headers.get("Content-Length", "0"))
            limit = fault.reset_request_after
            if limit is None:
                return _flipped(self.rfile.read(length), fault.flip_request)
            part = self.rfile.read(min(limit, length))
            self._forward_part(part)
            self._reset()
            return None

        def _forward_part(self, part: bytes) -> None:
            """Send the start of a request's body to the registry, then close that connection."""
            upstream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=100)
            upstream.putrequest(self.command, self.path, skip_host=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(part)
            _deliver(upstream.sock)
            upstream.close()

        def _answer(self, answer: http.client.HTTPResponse, fault: Fault, seen: Seen) -> None:
            headers = [
                (name, value)
                for name, value in answer.getheaders()
                if name.lower() not in ("connection", "transfer-encoding")
            ]
            if fault.reset_after == 0:
                self._reset()
                return
            self._head(answer.status, headers)
            done = 0
            while self.command != "HEAD" and (data := answer.read(16384)):
                data = _flipped(data, None if fault.flip is None else fault.flip - done)
                for limit, end in (
                    (fault.reset_after, self._reset),
                    (fault.end_after, self._end),
                ):
                    if limit is not None and done + len(data) >= limit:
                        self.wfile.write(data[: limit - done])
                        seen.sent += limit - done
                        end()
                        return
                self._send(data, fault, seen)
                done += len(data)

        def _send(self, data: bytes, fault: Fault, seen: Seen) -> None:
            if fault.trickle is None:
                self.wfile.write(data)
                seen.sent += len(data)
                return
            for position in range(len(data)):
                if proxy.is_over.wait(fault.trickle):
                    return
                self.wfile.write(data[position : position + 1])
                seen.sent += 1

        def _head(self, status: int, headers: list[tuple[str, str]]) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        def _reset(self) -> None:
            linger = struct.pack("ii", 1, 0)
            self.wfile.flush()
            _deliver(self.connection)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True

        def _end(self) -> None:
            self.close_connection = True

    with serving(Handler) as port:
        proxy.port = port
        try:
            yield proxy
        finally:
            proxy.is_over.set()


def _flipped(data: bytes, at: int | None) -> bytes:
    """Return *data* with the byte at this place changed, if there is one."""
    if at is None or not 0 <= at < len(data):
        return data
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _deliver(connection: socket.socket) -> None:
    """Wait until the other end has all the data: a reset discards what is still on its way."""

    def is_acknowledged() -> bool:
        left = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(left, sys.byteorder) == 0

    until(is_acknowledged)


@dataclass
class Tunnels:
    """The requests to a proxy for TLS: their targets and their Proxy-Authorization."""

    port: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextlib.contextmanager
def tunnelling(server: Server) -> Iterator[Tunnels]:
    """Run a proxy that answers CONNECT. Every tunnel leads to *server*."""
    tunnels = Tunnels()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            tunnels.asked.append((self.path, self.headers.get("Proxy-Authorization")))
            with socket.create_connection(("127.0.0.1", server.port), timeout=100) as there:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                back.start()
                _pump(self.connection, there)
                back.join(timeout=100)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as tunnels.port:
        yield tunnels


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

# SPDX-License-Identifier: MIT
"""Hijacked connections: raw bytes or Docker's frames instead of HTTP.

How it works: the transport gets another protocol, a plain stream. aiohttp learns of the end
when the handler is done. (A client may send raw bytes only after the answer's head, because
bytes before it would be parsed as a request.)

Rules: the client's half-close is no disconnect; only an error in sending is one. Every write
waits until the kernel has taken all of it. Raw bytes move from descriptor to descriptor.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import socket
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.api.streams import splice

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_CHUNK = 256 * 1024
_LOOK = 2.0
_LAST_PATIENCE = 2.0  # seconds for a client to read the end and close
_HEAD_PATIENCE = 5.0  # seconds for a client to read the head
_HEAD_NAP = 0.004
# These libraries lose bytes that arrive together with the answer's head (docker-py issue 3332).
_HASTY = ("docker-sdk-python", "tc-python", "testcontainers")


class Gone(Exception):  # noqa: N818 - not a failure of the server
    """The client is gone."""


class _Taken(asyncio.StreamReaderProtocol):
    """The protocol after the hijack; it reports the end to the old one."""

    def __init__(self, reader: asyncio.StreamReader, old: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self.old = old
        self.lost = asyncio.Event()
        self.unread = 0
        self._left = False
        self._reason: Exception | None = None

    def data_received(self, data: bytes) -> None:
        self.unread += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._reason = exc
        self.lost.set()
        self._tell()

    def leave(self) -> None:
        """Report that the handler is done with the connection."""
        self._left = True
        self._tell()

    def _tell(self) -> None:
        if self._left and self.lost.is_set():
            asyncio.get_running_loop().call_soon(self.old.connection_lost, self._reason)


class Hijacked:
    """A client's connection as two streams of bytes."""

    def __init__(self, request: web.BaseRequest) -> None:
        """Take the connection from aiohttp; send nothing yet."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise Gone
        old = request.protocol
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_CHUNK, loop=loop)
        self._protocol = _Taken(self._reader, old)
        transport.set_protocol(self._protocol)
        self._protocol.connection_made(transport)
        transport.resume_reading()
        transport.set_write_buffer_limits(high=0)  # drained then means empty
        self._writer = asyncio.StreamWriter(transport, self._protocol, self._reader, loop)
        self._transport = transport
        self._sending = asyncio.Lock()
        self._own = os.dup(transport.get_extra_info("socket").fileno())

    @property
    def is_gone(self) -> bool:
        """Tell whether the connection can no longer send."""
        return self._protocol.lost.is_set() or self._transport.is_closing()

    async def until_gone(self) -> None:
        """Wait until the connection is lost, also by a silent close of the client."""
        while not self._protocol.lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._protocol.lost.wait()
            if self._reader.at_eof() and self._is_hung_up():
                self._transport.abort()

    def _is_hung_up(self) -> bool:
        """Tell whether both halves are closed; no event reports it after the first half."""
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(connection.fileno(), 0)
        return any(mask & (select.POLLHUP | select.POLLERR) for _, mask in poll.poll(0))

    async def read(self) -> bytes:
        """Return the next data of the client; empty after it has closed its half."""
        try:
            data = await self._reader.read(_CHUNK)
        except OSError:
            return b""
        self._protocol.unread -= len(data)
        return data

    async def pour(self, pipe: int) -> None:
        """Move the client's data to a pipe until the client closes its half.

        Raises `OSError` if the pipe has no reader any more.
        """
        while self._protocol.unread:
            await splice.write(pipe, await self.read())
        self._transport.pause_reading()
        try:
            while await splice.move(self._own, pipe, _CHUNK):
                pass
        finally:
            self._transport.resume_reading()

    async def write(self, data: bytes) -> None:
        """Send *data*; raise `Gone` if the client does not take it."""
        async with self._sending:
            await self._write(data)

    async def _write(self, data: bytes) -> None:
        if self.is_gone:
            raise Gone
        self._writer.write(data)
        try:
            await self._writer.drain()
        except OSError:
            raise Gone from None

    async def send_from(self, pipe: int, count: int, head: bytes) -> None:
        """Send *head* and *count* bytes from a pipe; raise `Gone` as `write` does."""
        async with self._sending:
            await self._write(head)
            try:
                while count:
                    count -= await splice.move(pipe, self._own, count)
            except OSError:
                raise Gone from None

    async def head_is_read(self) -> None:
        """Wait until the client has read all sent bytes, or until a time limit.

        Between machines a socket only tells that the bytes have arrived.
        """
        await taken(self._own, _HEAD_PATIENCE)
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.family != socket.AF_UNIX:
            await asyncio.sleep(_HEAD_NAP)

    async def finish(self) -> None:
        """Send the end, wait a while for the client to close first, and close."""
        with suppress(OSError, RuntimeError):
            if not self.is_gone and self._transport.can_write_eof():
                self._transport.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_PATIENCE):
                while not self.is_gone and await self.read():
                    pass
        self.close()

    def close(self) -> None:
        """Close now."""
        if self._own >= 0:
            os.close(self._own)
            self._own = -1
        self._transport.close()
        self._protocol.leave()


async def taken(fd: int, seconds: float) -> None:
    """Wait until the peer has read all bytes sent on a socket, or until the time is over."""
    nap = 0.001
    while seconds > 0 and int.from_bytes(
        fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)), sys.byteorder
    ):
        await asyncio.sleep(nap)
        seconds -= nap
        nap = min(nap * 1.5, 0.02)


async def hijack(request: web.BaseRequest, content_type: str) -> Hijacked:
    """Answer an attach or exec request and return the raw connection."""
    connection = Hijacked(request)
    await answer(request, connection, content_type)
    return connection


async def answer(request: web.BaseRequest, connection: Hijacked, content_type: str) -> None:
    """Send the head of the answer on a hijacked connection."""
    if request.headers.get("Upgrade"):
        head = (
            "HTTP/1.1 101 UPGRADED\r\n"
            f"Content-Type: {content_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
    else:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n"
    await connection.write(head.encode("ascii"))


async def wait_for_head(connection: Hijacked, agent: str) -> None:
    """Wait until the client has read the answer's head, if its *agent* needs that."""
    if agent.startswith(_HASTY):
        await connection.head_is_read()


class Silent(web.StreamResponse):
    """The answer to a request whose connection was hijacked: aiohttp writes nothing."""

    def __init__(self) -> None:
        """Prevent another use of the connection."""
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Do nothing."""
        del request
        return None

    async def write_eof(self, data: bytes | bytearray | memoryview = b"") -> None:
        """Do nothing."""
        del data

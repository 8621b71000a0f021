# SPDX-License-Identifier: MIT
"""Connections that stop being HTTP: hijack, Docker's frames, ends that close one by one.

How it works: the transport gets another protocol, a plain stream. aiohttp is told of the
end when the handler is done. (A client may send what is no HTTP only after the answer's
head: what comes before is taken for a request.)

Rules: the client's half-close is no disconnect: only an error in sending is. Every write
waits until the client has taken most of what it was sent before.
"""

from __future__ import annotations

import asyncio
import select
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_CHUNK = 256 * 1024
_HIGH_WATER = 512 * 1024
_LOOK = 2.0
_LAST_PATIENCE = 2.0  # seconds a client gets to take the end and close


class Gone(Exception):  # noqa: N818 - no failure of ours
    """The client takes no more."""


class _Taken(asyncio.StreamReaderProtocol):
    """The protocol after the hijack; the old one hears of the end."""

    def __init__(self, reader: asyncio.StreamReader, old: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self.old = old
        self.lost = asyncio.Event()
        self._left = False
        self._reason: Exception | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._reason = exc
        self.lost.set()
        self._tell()

    def leave(self) -> None:
        """Say that the handler is done with the connection."""
        self._left = True
        self._tell()

    def _tell(self) -> None:
        if self._left and self.lost.is_set():
            asyncio.get_running_loop().call_soon(self.old.connection_lost, self._reason)


class Hijacked:
    """A client's connection as two streams of bytes."""

    def __init__(self, request: web.BaseRequest) -> None:
        """Take the connection from aiohttp; nothing is sent yet."""
        transport = request.transport
        if transport is None:
            raise Gone
        old = request.protocol
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_CHUNK, loop=loop)
        self._protocol = _Taken(self._reader, old)
        transport.set_protocol(self._protocol)
        self._protocol.connection_made(transport)
        transport.resume_reading()
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._writer = asyncio.StreamWriter(transport, self._protocol, self._reader, loop)
        self._transport = transport

    @property
    def is_gone(self) -> bool:
        """Tell whether nothing can be sent any more."""
        return self._protocol.lost.is_set() or self._transport.is_closing()

    async def until_gone(self) -> None:
        """Return when the connection is lost, also if the client closed it without a word."""
        while not self._protocol.lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._protocol.lost.wait()
            if self._reader.at_eof() and self._is_hung_up():
                self._transport.abort()

    def _is_hung_up(self) -> bool:
        """Tell whether both halves are closed; after one half nothing else would say so."""
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(connection.fileno(), 0)
        return any(mask & (select.POLLHUP | select.POLLERR) for _, mask in poll.poll(0))

    async def read(self) -> bytes:
        """Return what the client sent next; empty when it has closed its half."""
        try:
            return await self._reader.read(_CHUNK)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send *data*; `Gone` if the client does not take it."""
        if self.is_gone:
            raise Gone
        self._writer.write(data)
        try:
            await self._writer.drain()
        except OSError:
            raise Gone from None

    async def finish(self) -> None:
        """Send the end, let the client close first for a while, and close."""
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
        self._transport.close()
        self._protocol.leave()


async def hijack(request: web.BaseRequest, content_type: str) -> Hijacked:
    """Answer an attach or exec request and return the raw connection."""
    connection = Hijacked(request)
    await answer(request, connection, content_type)
    return connection


async def answer(request: web.BaseRequest, connection: Hijacked, content_type: str) -> None:
    """Send the head of the answer on a connection that was taken."""
    if request.headers.get("Upgrade"):
        head = (
            "HTTP/1.1 101 UPGRADED\r\n"
            f"Content-Type: {content_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
    else:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n"
    await connection.write(head.encode("ascii"))


class Silent(web.StreamResponse):
    """The answer to a request whose connection was taken: aiohttp writes nothing."""

    def __init__(self) -> None:
        """Keep the connection from being used again."""
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Do nothing."""
        del request
        return None

    async def write_eof(self, data: bytes | bytearray | memoryview = b"") -> None:
        """Do nothing."""
        del data

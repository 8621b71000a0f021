# SPDX-License-Identifier: MIT
"""A websocket as a connection of raw bytes."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox.api.streams.hijack import Gone


class Websocket:
    """A websocket as a connection of raw bytes."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """Use an open websocket."""
        self._socket = socket
        self._lost = asyncio.Event()

    @property
    def is_gone(self) -> bool:
        """Tell whether it is closed."""
        return self._lost.is_set() or self._socket.closed

    async def read(self) -> bytes:
        """Return the next message; empty at the end."""
        message = await self._socket.receive()
        if message.type in (web.WSMsgType.BINARY, web.WSMsgType.TEXT):
            data = message.data
            return data.encode() if isinstance(data, str) else bytes(data)
        self._lost.set()
        return b""

    async def write(self, data: bytes) -> None:
        """Send one binary message."""
        if self.is_gone:
            raise Gone
        try:
            await self._socket.send_bytes(data)
        except (ConnectionError, RuntimeError):
            self._lost.set()
            raise Gone from None

    async def until_gone(self) -> None:
        """Wait until it is closed."""
        await self._lost.wait()

# SPDX-License-Identifier: MIT
"""Attach: join clients' connections to a container's streams.

How it works: clients that attach before the container starts wait here. The start joins all
of them to one connection, on which the supervisor sends every byte from the first on. Each
later client gets its own connection to the supervisor.

Rules: a container's output waits for the slowest client, and no byte is dropped. A client
that is gone is left out.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sandbox.api.streams.hijack import Gone
from sandbox.errors import CorruptData
from sandbox.runtime.supervisor import protocol
from sandbox.runtime.terminal import KeyWatch

if TYPE_CHECKING:
    import socket

_CHUNK = 256 * 1024


class Connection(Protocol):
    """A client's connection: raw bytes, or a websocket."""

    async def read(self) -> bytes:
        """Return received data; empty at the end."""

    async def write(self, data: bytes) -> None:
        """Send data; raise `Gone` if the connection is lost."""

    async def until_gone(self) -> None:
        """Return when it is lost."""

    @property
    def is_gone(self) -> bool:
        """Tell whether it is lost."""


@dataclass(eq=False)
class Client:
    """A client, and the streams that it wants."""

    connection: Connection
    tty: bool
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    keys: bytes = b""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after the head of the answer and the past output were sent."""
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    detached: bool = False
    """Whether the client typed its detach keys."""

    async def show(self, stream: int, data: bytes) -> None:
        """Send output of a stream, if the client wants the stream."""
        await self.ready.wait()
        await self.send(stream, data)

    async def send(self, stream: int, data: bytes) -> None:
        """Send it now."""
        if self.done.is_set() or not (self.stderr if stream == protocol.STDERR else self.stdout):
            return
        try:
            await self.connection.write(data if self.tty else protocol.frame(stream, data))
        except Gone:
            self.done.set()


class Attachments:
    """The clients that wait for the start of a container."""

    def __init__(self) -> None:
        """Start without clients."""
        self._waiting: dict[str, list[Client]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wait_for_start(self, container_id: str, client: Client) -> None:
        """Give *client* the container's output from its first byte on."""
        self._waiting.setdefault(container_id, []).append(client)

    def leave(self, container_id: str, client: Client) -> None:
        """Forget a client that no longer waits."""
        found = self._waiting.get(container_id, [])
        with suppress(ValueError):
            found.remove(client)
        if not found:
            self._waiting.pop(container_id, None)

    def take(self, container_id: str) -> list[Client]:
        """Remove and return the clients that wait for this container."""
        found = [one for one in self._waiting.pop(container_id, []) if not one.connection.is_gone]
        for client in found:
            client.joined.set()  # the running start joins it: no other task may
        return found

    def join(self, clients: list[Client], supervisor: socket.socket) -> None:
        """Join clients to a connection that gives a container's output."""
        task = asyncio.get_running_loop().create_task(relay(clients, supervisor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def relay(clients: list[Client], supervisor: socket.socket) -> None:
    """Copy both ways until the container's streams end or all clients are gone."""
    reader, writer = await asyncio.open_unix_connection(sock=supervisor, limit=_CHUNK)
    for client in clients:
        client.joined.set()
    typing = [asyncio.create_task(_type(client, writer)) for client in clients if client.stdin]
    watching = asyncio.create_task(_all_gone(clients))
    showing = asyncio.create_task(_show(clients, reader))
    try:
        await asyncio.wait({watching, showing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*typing, watching, showing):
            task.cancel()
        await asyncio.gather(*typing, watching, showing, return_exceptions=True)
        writer.close()
        for client in clients:
            client.done.set()


async def _show(clients: list[Client], reader: asyncio.StreamReader) -> None:
    frames = protocol.Frames()
    while True:
        try:
            data = await reader.read(_CHUNK)
        except OSError:
            return
        if not data:
            return
        try:
            for stream, content in frames.feed(data):
                if stream == protocol.CONTROL:
                    return
                for client in clients:
                    await client.show(stream, content)
        except CorruptData:
            return


async def _type(client: Client, writer: asyncio.StreamWriter) -> None:
    watch = KeyWatch(client.keys if client.tty else b"")
    with suppress(OSError):
        while True:
            data = await client.connection.read()
            if not data:
                if not client.tty:  # a terminal has no end: a client may come back
                    writer.write(protocol.frame(protocol.STDIN, b""))
                    await writer.drain()
                return
            passed = watch.take(data)
            if passed:
                writer.write(protocol.frame(protocol.STDIN, passed))
                await writer.drain()
            if watch.found:
                client.detached = True
                client.done.set()
                return


async def _all_gone(clients: list[Client]) -> None:
    await asyncio.gather(*(_gone(client) for client in clients))


async def _gone(client: Client) -> None:
    lost = asyncio.create_task(client.connection.until_gone())
    done = asyncio.create_task(client.done.wait())
    try:
        await asyncio.wait({lost, done}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        lost.cancel()
        done.cancel()

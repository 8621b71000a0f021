# SPDX-License-Identifier: MIT
"""The supervisor's side of its connections: requests in, answers and output out.

Rules: a process of a container is no client. No call waits for a client. Data that a client does
not take yet stays in its buffer; `congested` tells when a buffer is so full that the container
should stop writing.

Does not know: what a request means (a callback handles it).
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import CorruptData
from sandbox.runtime.process import peers
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 65536
_TOO_MUCH = 512 * 1024


class Client:
    """One connection."""

    def __init__(self, owner: Clients, connection: socket.socket) -> None:
        """Wait for the request of a new connection."""
        self._owner = owner
        self.connection = connection
        connection.setblocking(False)
        self.out = bytearray()
        self.line = bytearray()
        self.frames = protocol.Frames()
        self.attached = False
        self.gives_input = False
        self.ending = False
        self.hears = True
        self.verb = ""
        self.is_open = True
        self._mask = selectors.EVENT_READ
        owner.selector.register(connection, self._mask, self._ready)

    def say(self, message: dict[str, Any]) -> None:
        """Answer the request."""
        self.out += protocol.line(message)
        self.push()

    def send(self, stream: int, data: bytes) -> None:
        """Send a frame."""
        if self.out or not self.is_open:
            self.out += protocol.frame(stream, data)
            return
        try:
            self.out += protocol.send_frame(self.connection, stream, data)
        except OSError:
            self.close()
            return
        self.listen()

    def end(self) -> None:
        """Close once everything is sent."""
        self.ending = True
        self.push()

    def push(self) -> None:
        """Send as much as the connection takes now."""
        while self.out and self.is_open:
            try:
                count = self.connection.send(memoryview(self.out)[: 4 * _CHUNK])
            except BlockingIOError:
                break
            except OSError:
                self.close()
                return
            del self.out[:count]
        if self.ending and not self.out:
            self.close()
        self.listen()

    def listen(self) -> None:
        """Tell the loop which events this client waits for now."""
        if not self.is_open:
            return
        mask = selectors.EVENT_READ if self.hears and not self._is_full() else 0
        mask |= selectors.EVENT_WRITE if self.out else 0
        if mask == self._mask:
            return
        if not self._mask:
            self._owner.selector.register(self.connection, mask, self._ready)
        elif not mask:
            self._owner.selector.unregister(self.connection)
        else:
            self._owner.selector.modify(self.connection, mask, self._ready)
        self._mask = mask

    def _is_full(self) -> bool:
        return self.attached and self._owner.input_full()

    def close(self) -> None:
        """Forget the client."""
        if not self.is_open:
            return
        self.is_open = False
        if self._mask:
            self._owner.selector.unregister(self.connection)
        self.connection.close()
        self._owner.all.discard(self)

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self.push()
        if not self.is_open or not mask & selectors.EVENT_READ:
            return
        try:
            data = self.connection.recv(4 * _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
            self.out.clear()
        if not data:
            self._heard_the_end()
            return
        try:
            self._heard(data)
        except CorruptData as exc:
            self.say({"error": exc.message, "status": 400})
            self.end()

    def _heard_the_end(self) -> None:
        # A half-closed client still receives output until sending fails.
        self.hears = False
        if (not self.attached and not self.verb) or (self.ending and not self.out):
            self.close()
            return
        self.listen()

    def _heard(self, data: bytes) -> None:
        if not self.verb:
            self.line += data
            head, newline, rest = bytes(self.line).partition(b"\n")
            if not newline:
                if len(self.line) > protocol.LONGEST_LINE:
                    raise CorruptData("control message: too long")
                return
            message = protocol.parse_line(head)
            self.verb = str(message.get("verb", ""))
            self._owner.on_request(self, message)
            data = rest
        if self.attached:
            for stream, content in self.frames.feed(data):
                self._owner.on_frame(self, stream, content)
            self.listen()


def _is_welcome(connection: socket.socket) -> bool:
    try:
        peer = peers.peer_of(connection)
    except OSError:
        return False
    return peer is not None and not peer.is_guest


class Clients:
    """All connections of one supervisor."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        *,
        on_request: Callable[[Client, dict[str, Any]], None],
        on_frame: Callable[[Client, int, bytes], None],
        input_full: Callable[[], bool],
    ) -> None:
        """Start without clients."""
        self.selector = selector
        self.on_request = on_request
        self.on_frame = on_frame
        self.input_full = input_full
        self.all: set[Client] = set()

    def add(self, connection: socket.socket) -> Client:
        """Serve a new connection."""
        client = Client(self, connection)
        self.all.add(client)
        return client

    def accept(self, listener: socket.socket) -> None:
        """Accept the waiting connections, but not those of containers."""
        with suppress(OSError):
            while True:
                connection = listener.accept()[0]
                if _is_welcome(connection):
                    self.add(connection)
                else:
                    connection.close()

    @property
    def attached(self) -> list[Client]:
        """The clients that get the container's output."""
        return [client for client in self.all if client.attached]

    @property
    def congested(self) -> bool:
        """Tell whether any client is too far behind."""
        return any(len(client.out) > _TOO_MUCH for client in self.attached)

    def broadcast(self, stream: int, data: bytes) -> None:
        """Send output to all attached clients."""
        for client in self.attached:
            client.send(stream, data)

    def refresh(self) -> None:
        """Update the awaited events: the container may take input again."""
        for client in self.attached:
            client.listen()

    def dismiss(self) -> None:
        """Close each client when it has received its data; the loop runs until all have."""
        for client in list(self.all):
            client.end()

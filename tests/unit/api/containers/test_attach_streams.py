# SPDX-License-Identifier: MIT
"""Clients that are attached to one container."""

from __future__ import annotations

import asyncio
import socket

from sandbox.api.containers.attach_streams import Attachments, Client, relay
from sandbox.api.streams.hijack import Gone
from sandbox.runtime.supervisor import protocol


class Connection:
    """A client that types *typed*, and disconnects after *most* bytes."""

    def __init__(self, typed: list[bytes] | None = None, most: int = 1 << 30) -> None:
        self.typed = typed or []
        self.most = most
        self.seen = b""
        self.lost = asyncio.Event()

    @property
    def is_gone(self) -> bool:
        return self.lost.is_set()

    async def read(self) -> bytes:
        if self.typed:
            return self.typed.pop(0)
        await self.lost.wait()
        return b""

    async def write(self, data: bytes) -> None:
        if len(self.seen) + len(data) > self.most:
            self.lost.set()
            raise Gone
        self.seen += data

    async def until_gone(self) -> None:
        await self.lost.wait()


def ready(client: Client) -> Client:
    client.ready.set()
    return client


OUTPUT = protocol.frame(protocol.STDOUT, b"out") + protocol.frame(protocol.STDERR, b"err")


def test_each_client_gets_the_streams_that_it_requested() -> None:
    async def main() -> list[bytes]:
        ours, theirs = socket.socketpair()
        connections = [Connection(), Connection(), Connection()]
        clients = [
            ready(Client(connections[0], tty=False)),
            ready(Client(connections[1], tty=False, stdout=False)),
            ready(Client(connections[2], tty=True)),
        ]
        with theirs:
            theirs.sendall(OUTPUT)
            theirs.shutdown(socket.SHUT_WR)
            await relay(clients, ours)
        assert all(client.done.is_set() for client in clients)
        return [one.seen for one in connections]

    framed, errors, raw = asyncio.run(main())
    assert framed == OUTPUT
    assert errors == protocol.frame(protocol.STDERR, b"err")
    assert raw == b"outerr"


def test_a_disconnected_client_is_skipped() -> None:
    async def main() -> bytes:
        ours, theirs = socket.socketpair()
        gone, there = Connection(most=0), Connection()
        clients = [ready(Client(gone, tty=True)), ready(Client(there, tty=True))]
        with theirs:
            theirs.sendall(OUTPUT)
            theirs.shutdown(socket.SHUT_WR)
            await relay(clients, ours)
        return there.seen

    assert asyncio.run(main()) == b"outerr"


def test_input_goes_to_the_container_until_the_detach_keys() -> None:
    async def main() -> tuple[bytes, bool]:
        ours, theirs = socket.socketpair()
        client = ready(
            Client(Connection([b"ls\n", b"\x10\x11more"]), tty=True, stdin=True, keys=b"\x10\x11")
        )
        with theirs:
            await relay([client], ours)
            theirs.settimeout(5)
            return theirs.recv(65536), client.detached

    assert asyncio.run(main()) == (protocol.frame(protocol.STDIN, b"ls\n"), True)


def test_the_end_of_a_client_s_input_is_passed_on_unless_there_is_a_terminal() -> None:
    async def typed(*, tty: bool) -> bytes:
        ours, theirs = socket.socketpair()
        connection = Connection([b"x", b""])
        client = ready(Client(connection, tty=tty, stdin=True))
        with theirs:
            task = asyncio.create_task(relay([client], ours))
            await asyncio.sleep(0.05)
            connection.lost.set()
            await task
            theirs.settimeout(5)
            return b"".join(iter(lambda: theirs.recv(65536), b""))

    sent = protocol.frame(protocol.STDIN, b"x")
    assert asyncio.run(typed(tty=True)) == sent
    assert asyncio.run(typed(tty=False)) == sent + protocol.frame(protocol.STDIN, b"")


def test_waiting_clients_are_attached_once_if_still_connected() -> None:
    async def main() -> list[int]:
        waiting, there, gone = Attachments(), Connection(), Connection()
        gone.lost.set()
        left = Client(Connection(), tty=False)
        for client in (Client(there, tty=False), Client(gone, tty=False), left):
            waiting.wait_for_start("box", client)
        waiting.leave("box", left)
        first = waiting.take("box")
        assert [client.connection for client in first] == [there]
        assert first[0].joined.is_set()
        return [len(first), len(waiting.take("box")), len(waiting.take("other"))]

    assert asyncio.run(main()) == [1, 0, 0]

# SPDX-License-Identifier: MIT
from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.models.ports import Port, Published
from sandbox.native.network import NetworkTable
from sandbox.runtime.network.forwarding import Relay

HERE = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 256}.11"
_WORD = b"0123456789abcdef" * 65536  # 1 MiB


class Table(NetworkTable):
    """A network table with one listener."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.told: list[tuple[int, bool]] = []

    def lead(self, *_: object) -> tuple[str, int]:
        return self.address

    def relay(self, _: int, port: int, *, on: bool) -> None:
        self.told.append((port, on))


@contextmanager
def relayed(listener: tuple[str, int], protocol: str = "tcp") -> Iterator[tuple[int, Table]]:
    """Relay a free port of 127.0.0.1 to a listener."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    place = socket.socket(socket.AF_INET, kind)
    place.bind(("0.0.0.0", 0))
    if protocol == "tcp":
        place.listen()
    number = place.getsockname()[1]
    table = Table(listener)
    ours, theirs = socket.socketpair()
    row = Published(Port(80, protocol), "0.0.0.0", number)
    relay = Relay(table, 1, HERE)
    thread = threading.Thread(target=relay.live, args=([(row, place.detach())], theirs.fileno()))
    thread.start()
    try:
        yield number, table
    finally:
        ours.close()
        thread.join(100)
        theirs.close()


def send_all(sock: socket.socket, data: bytes) -> threading.Thread:
    """Send in a thread, then end the sending direction."""

    def send() -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(100)
        yield server


@contextmanager
def silent() -> Iterator[tuple[str, int]]:
    """Give an address on which nothing listens, and nothing else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()


def all_of(sock: socket.socket) -> bytes:
    found = bytearray()
    while data := sock.recv(1 << 20):
        found += data
    return bytes(found)


def test_each_side_sends_and_closes_independently() -> None:
    with (
        listening() as server,
        relayed(server.getsockname()) as (port, _),
        socket.create_connection(("127.0.0.1", port), 100) as caller,
    ):
        other, peer = server.accept()
        assert peer[0] == HERE
        with other:
            other.settimeout(100)
            for source, sink, size in ((caller, other, 8), (other, caller, 4)):
                thread = send_all(source, _WORD * size)
                assert all_of(sink) == _WORD * size
                thread.join(100)


def test_a_client_that_reads_nothing_does_not_delay_others() -> None:
    with (
        listening() as server,
        relayed(server.getsockname()) as (port, _),
        socket.create_connection(("127.0.0.1", port), 100),
    ):
        full, _ = server.accept()
        full.setblocking(False)
        with full, contextlib.suppress(BlockingIOError):
            while True:
                full.send(_WORD)
        with socket.create_connection(("127.0.0.1", port), 100) as second:
            other, _ = server.accept()
            other.sendall(b"hello")
            other.close()
            assert all_of(second) == b"hello"


def test_a_reset_of_one_side_is_a_reset_of_the_other() -> None:
    with (
        listening() as server,
        relayed(server.getsockname()) as (port, _),
        socket.create_connection(("127.0.0.1", port), 100) as caller,
    ):
        other, _ = server.accept()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()
        with pytest.raises(ConnectionResetError):
            caller.recv(100)


def call(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 100) as caller:
        return all_of(caller)


def test_a_listener_that_starts_later_is_found() -> None:
    with silent() as nobody, relayed(nobody) as (port, table):
        with pytest.raises(ConnectionResetError):
            call(port)
        with listening() as server:
            table.address = server.getsockname()
            thread = threading.Thread(target=lambda: server.accept()[0].close())
            thread.start()
            assert call(port) == b""
            thread.join(100)


def test_datagrams_of_two_clients_are_answered_from_the_address_they_were_sent_to() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(100)
        server.bind(("127.0.0.1", 0))
        with relayed(server.getsockname(), "udp") as (port, table):
            for place in ("127.0.0.1", "127.8.7.6"):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
                    caller.settimeout(100)
                    caller.connect((place, port))
                    for word in (place.encode(), b"", bytes(60000)):
                        caller.send(word)
                        data, peer = server.recvfrom(65535)
                        assert data == word
                        assert peer[0] == HERE
                        assert table.told[-1] == (peer[1], True)
                        server.sendto(data + b"!", peer)
                        assert caller.recv(65535) == word + b"!"
            assert len(table.told) == 2

# SPDX-License-Identifier: MIT
"""The connections of a supervisor: nobody is waited for."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.runtime.supervisor import protocol
from sandbox.runtime.supervisor.clients import Client, Clients


class Hub:
    """Clients, and what they asked and typed."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.typed: list[tuple[int, bytes]] = []
        self.full = False
        self.selector = selectors.DefaultSelector()
        self.ends: list[socket.socket] = []
        self.clients = Clients(
            self.selector,
            on_request=lambda _, message: self.asked.append(message),
            on_frame=lambda _, stream, data: self.typed.append((stream, bytes(data))),
            input_full=lambda: self.full,
        )

    def add(self, *, attached: bool = False) -> tuple[Client, socket.socket]:
        ours, theirs = socket.socketpair()
        theirs.settimeout(10)
        self.ends.append(theirs)
        client = self.clients.add(ours)
        client.attached = attached
        if attached:
            client.verb = "attach"
        return client, theirs

    def turn(self) -> None:
        for key, mask in self.selector.select(0):
            key.data(mask)


@pytest.fixture
def hub() -> Iterator[Hub]:
    found = Hub()
    yield found
    for client in list(found.clients.all):
        client.close()
    for end in found.ends:
        end.close()
    found.selector.close()


def test_a_request_may_come_in_pieces(hub: Hub) -> None:
    _, theirs = hub.add()
    line = protocol.line({"verb": "wait"})
    for piece in (line[:5], line[5:]):
        theirs.sendall(piece)
        hub.turn()
    assert hub.asked == [{"verb": "wait"}]


@pytest.mark.parametrize("data", [b"nonsense\n", b"x" * (protocol.LONGEST_LINE + 10)])
def test_a_request_that_is_none_is_answered_and_closed(hub: Hub, data: bytes) -> None:
    client, theirs = hub.add()
    theirs.sendall(data)
    for _ in range(10):
        hub.turn()
    assert not client.is_open
    assert b'"error"' in theirs.recv(65536)


def test_output_goes_to_all_who_are_attached_and_to_nobody_else(hub: Hub) -> None:
    _, one = hub.add(attached=True)
    _, two = hub.add(attached=True)
    _, other = hub.add()
    hub.clients.broadcast(protocol.STDOUT, b"hello")
    expected = protocol.frame(protocol.STDOUT, b"hello")
    assert (one.recv(100), two.recv(100)) == (expected, expected)
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(1)


def test_one_who_does_not_read_is_far_behind_and_gets_all_of_it_later(hub: Hub) -> None:
    client, theirs = hub.add(attached=True)
    data = bytes(range(256)) * 8192
    hub.clients.broadcast(protocol.STDOUT, data)
    assert hub.clients.congested
    client.end()
    seen = b""
    while client.is_open:
        seen += theirs.recv(1 << 20)
        hub.turn()
    seen += b"".join(iter(lambda: theirs.recv(1 << 20), b""))
    assert seen == protocol.frame(protocol.STDOUT, data)
    assert not hub.clients.congested


def test_input_is_read_only_when_the_container_takes_it(hub: Hub) -> None:
    client, theirs = hub.add(attached=True)
    hub.full = True
    client.listen()
    theirs.sendall(protocol.frame(protocol.STDIN, b"x"))
    hub.turn()
    assert hub.typed == []
    hub.full = False
    hub.clients.refresh()
    hub.turn()
    assert hub.typed == [(protocol.STDIN, b"x")]


def test_who_closes_one_half_still_gets_output(hub: Hub) -> None:
    client, theirs = hub.add(attached=True)
    theirs.shutdown(socket.SHUT_WR)
    hub.turn()
    assert client.is_open
    client.send(protocol.STDOUT, b"x")
    assert theirs.recv(100) == protocol.frame(protocol.STDOUT, b"x")


def test_who_goes_before_asking_is_forgotten(hub: Hub) -> None:
    client, theirs = hub.add()
    theirs.close()
    hub.turn()
    assert not client.is_open
    assert hub.clients.all == set()

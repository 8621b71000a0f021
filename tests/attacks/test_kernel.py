# SPDX-License-Identifier: MIT
"""The kernel refuses to a guest what no program in a container needs, past the runtime, too."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import can_make_user_namespaces
from tests.harness.attacks import INTERCEPTORS, Arena, successes

pytestmark = pytest.mark.guest

PROGRAMS = ("kernel", "alone", "setid")
SET_ID = [
    "fchmod 04755",
    "fchmod 02755",
    "chmod 04755",
    "fchmodat 04755",
    "mknodat 04755",
    "openat 04755",
]
NAMESPACES = ["clone a user namespace", "unshare a user namespace"]


def test_without_the_fence_the_kernel_does_what_a_guest_asks(unfenced: Arena) -> None:
    done = successes(unfenced.attack("kernel"))
    assert set(SET_ID) <= set(done)
    assert "count events" in done or "compare processes" in done
    if can_make_user_namespaces():
        assert set(NAMESPACES) <= set(done)


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_set_id_bits_namespaces_and_terminals_are_refused(fenced: Arena, interceptor: str) -> None:
    found = fenced.attack("kernel", interceptor=interceptor)
    assert set(SET_ID + NAMESPACES) <= set(found)
    assert successes(found) == []


def test_set_id_bits_namespaces_and_terminals_are_refused_in_exec(fenced: Arena) -> None:
    assert successes(fenced.attack("kernel", way="exec")) == []


def test_without_the_fence_a_guest_leaves_a_set_id_program(unfenced: Arena) -> None:
    assert successes(unfenced.attack("setid")) == ["change the mode of a program"]


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_no_guest_leaves_a_set_id_program(fenced: Arena, interceptor: str) -> None:
    """The mode of openat2 is unseen, but what fills the file takes the bits away."""
    found = fenced.attack("setid", interceptor=interceptor)
    assert len(found) >= 11
    assert successes(found) == []


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP server and a UDP server of the machine."""
    with ExitStack() as stack:
        stream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagram = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagram.bind(("127.0.0.1", 0))
        for server in (stream, datagram):
            server.setblocking(False)
        yield stream, datagram


REACHES = [
    "connect by TCP",
    "connect by Fast Open",
    "connect by Fast Open in a message",
    "send a datagram",
    "ask netlink for routes",
    "listen on a port of the machine",
]


def ports(servers: tuple[socket.socket, socket.socket]) -> list[str]:
    return [str(server.getsockname()[1]) for server in servers]


def test_without_the_fence_a_guest_leaves_a_container_without_a_network(
    unfenced: Arena, servers: tuple[socket.socket, socket.socket]
) -> None:
    found = unfenced.attack("alone", *ports(servers), network="none")
    assert set(REACHES) <= set(successes(found))
    servers[0].accept()[0].close()
    assert servers[1].recv(10) == b"x"


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
@pytest.mark.parametrize("way", ["run", "exec"])
def test_no_guest_leaves_a_container_without_a_network(
    fenced: Arena, servers: tuple[socket.socket, socket.socket], way: str, interceptor: str
) -> None:
    drain(servers[0])
    found = fenced.attack(
        "alone", *ports(servers), way=way, interceptor=interceptor, network="none"
    )
    assert set(REACHES) <= set(found)
    assert successes(found) == []
    # By Landlock: there are sockets, for its own servers.
    assert found["connect by TCP"] == "EACCES"
    for server in servers:
        with pytest.raises(BlockingIOError):
            server.recv(1) if server.type == socket.SOCK_DGRAM else server.accept()


def drain(server: socket.socket) -> None:
    """Take the connections that still wait."""
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return

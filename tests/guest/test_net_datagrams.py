# SPDX-License-Identifier: MIT
"""Datagrams between containers, and between a container and the host."""

from __future__ import annotations

import socket
import subprocess

import pytest

from tests.harness.network.boxes import Net, pool
from tests.harness.network.peers import UDP_ASK, UDP_ECHO, first_line, free_ports, output_of, python

pytestmark = pytest.mark.guest


def test_an_answer_comes_from_the_address_that_the_datagram_was_sent_to(net: Net) -> None:
    port = free_ports()
    outer = free_ports() + 10
    published = {("udp", 53): ("0.0.0.0", outer)}
    with net.box((1, 2), published=published) as a, net.box((1, 3)) as b:
        server = a.start(python(UDP_ECHO, "0.0.0.0", port, 4))
        first_line(server)
        for box in (a, b):
            answer = box.run(python(UDP_ASK, a.address, port)).output.splitlines()
            assert answer[0] == f"(b'ask', ('{a.address}', {port}))"
            assert answer[1] == f"b'again' ('{a.address}', {port}) {box.address}"
        expected = [f"{word} {box.address}" for box in (a, b) for word in ("ask", "again")]
        assert output_of(server) == expected
        server = a.start(python(UDP_ECHO, "0.0.0.0", 53, 3))
        first_line(server)
        answer = b.run(python(UDP_ASK, a.address, 53)).output.splitlines()
        assert answer[0] == f"(b'ask', ('{a.address}', 53))"
        assert answer[1] == f"b'again' ('{a.address}', 53) {b.address}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(100)
            client.connect(("127.0.0.1", outer))
            client.send(b"host")
            assert client.recv(100) == b"host"
        assert output_of(server)[-1] == f"host {pool(1)}.1"


def test_datagrams_from_the_host_come_from_the_gateway(net: Net) -> None:
    gateway = f"{pool(1)}.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, net.box((1, 2)) as a:
        server.bind(("127.0.0.1", 0))
        server.settimeout(100)
        port = server.getsockname()[1]
        process = a.start(python(UDP_ASK, gateway, port))
        for word in (b"ask", b"again"):
            data, peer = server.recvfrom(100)
            assert data == word
            server.sendto(data, peer)
        assert output_of(process) == [
            f"(b'ask', ('{gateway}', {port}))",
            f"b'again' ('{gateway}', {port}) {a.address}",
        ]


MIXED = """
import socket
def make():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(100)
    return s
server = make()
server.bind(('0.0.0.0', 0))
port = server.getsockname()[1]
for address in ('127.0.0.1', '{0}', '127.0.0.1', '{0}'):
    client = make()
    client.connect((address, port))
    client.send(b'x')
    peer = server.recvfrom(100)[1]
    server.sendto(b'y', peer)
    print(peer[0] == address, client.recvfrom(100) == (b'y', (address, port)))
"""


def test_a_server_at_a_port_that_the_kernel_chose_answers_every_client(net: Net) -> None:
    with net.box((1, 2)) as a:
        assert a.run(python(MIXED, a.address)).output == "True True\n" * 4


WAIT = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(100)
s.connect(('{0}', {1}))
print(s.getpeername(), flush=True)
input()
s.send(b'late')
print(s.recv(100), s.getpeername())
"""


@pytest.mark.parametrize("low", [False, True])
def test_a_datagram_client_may_connect_before_the_server_starts(net: Net, low: bool) -> None:
    port = 853 if low else free_ports()
    with net.box((1, 2)) as a, net.box((1, 3)) as b:
        client = b.start(python(WAIT, a.address, port), stdin=subprocess.PIPE)
        assert first_line(client) == f"('{a.address}', {port})"
        server = a.start(python(UDP_ECHO, "0.0.0.0", port, 1))
        first_line(server)
        output, errors = client.communicate(b"\n", timeout=100)
        assert not errors
        assert output.decode() == f"b'late' ('{a.address}', {port})\n"
        assert output_of(server) == [f"late {b.address}"]


def test_datagrams_to_a_container_do_not_reach_the_hosts_server_on_that_port(net: Net) -> None:
    port = free_ports()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, net.box((1, 2)) as a:
        server.bind(("0.0.0.0", port))
        text = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(100); "
        text += "s.connect(('127.0.0.1', {0})); s.send(b'x')\ntry: s.recv(1)\n"
        text += "except ConnectionRefusedError: print('refused')"
        assert a.run(python(text, port)).output == "refused\n"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.recv(1)

# SPDX-License-Identifier: MIT
"""IPv4 and IPv6 sockets in a container with its own address."""

from __future__ import annotations

import pathlib
import re
import socket

import pytest

from sandbox.native.network import Allowed, NetworkState, NetworkTable
from sandbox.native.probe import probe
from tests.harness import oracle as oracles
from tests.harness.network.boxes import Net, pool
from tests.harness.network.peers import (
    ACCEPT,
    ASK,
    TRY,
    UDP_ECHO,
    first_line,
    free_ports,
    output_of,
    python,
)

pytestmark = pytest.mark.guest

GROUPS = (
    "tcp",
    "tcp-chosen",
    "udp",
    "udp-many",
    "six",
    "both",
    "errors",
    "waiting",
    "options",
    "pass",
    "later",
    "taken",
    "awaited",
    "sources",
)


@pytest.mark.parametrize("group", GROUPS)
def test_a_lone_container_behaves_like_a_machine(
    net: Net, guest_program, tmp_path: pathlib.Path, group: str
) -> None:
    program = guest_program("net")
    port = str(free_ports())
    expected = oracles.native([program, group, port], tmp_path)
    with net.box((1, 2)) as box:
        actual = box.run([program, group, port])
    difference = oracles.difference(expected.lines({}), actual.lines({}))
    assert expected.status == 0, expected
    assert not difference, f"{difference}\n{actual.errors}"


# -- several containers ---------------------------------------------------------------


@pytest.mark.parametrize("port", [0, 80])
def test_two_containers_listen_on_the_same_port_and_reach_each_other(net: Net, port: int) -> None:
    port = port or free_ports()
    with net.box((1, 2)) as a, net.box((1, 3)) as b:
        servers = [box.start(python(ACCEPT, "0.0.0.0", port)) for box in (a, b)]
        assert [first_line(one) for one in servers] == [f"('0.0.0.0', {port})"] * 2
        answers = [b.run(python(ASK, a.address, port)), b.run(python(ASK, b.address, port))]
        assert [one.output for one in answers] == [
            f"hello ('{a.address}', {port}) {b.address}\n",
            f"hello ('{b.address}', {port}) {b.address}\n",
        ]
        for box, server in zip((a, b), servers, strict=True):
            shown = f"{b.address} ('{box.address}', {port}) {b.address}"
            assert output_of(server) == [shown]


@pytest.mark.parametrize(
    ("kind", "alone"), [("SOCK_STREAM", "ENETUNREACH"), ("SOCK_DGRAM", "EACCES")]
)
def test_a_container_of_another_network_is_unreachable(net: Net, kind: str, alone: str) -> None:
    port = free_ports()
    with net.box((1, 2)) as a, net.box((2, 2)) as b, net.box() as lonely:
        server = a.start(python(ACCEPT, "0.0.0.0", port))
        first_line(server)
        assert b.run(python(TRY, a.address, port, kind)).output == "EHOSTUNREACH\n"
        assert lonely.run(python(TRY, a.address, port, kind)).output == f"{alone}\n"
        assert lonely.run(python(TRY, "192.0.2.1", port, kind)).output == f"{alone}\n"
        assert lonely.run(python(TRY, "127.0.0.1", port, "SOCK_DGRAM")).output == "EACCES\n"
        server.kill()
        server.communicate()


@pytest.mark.parametrize("group", ["tcp", "tcp-chosen", "six", "both", "later", "pass"])
def test_loopback_works_in_a_container_without_a_network(
    net: Net, guest_program, tmp_path: pathlib.Path, group: str
) -> None:
    program = guest_program("net")
    port = str(free_ports())
    expected = oracles.native([program, group, port], tmp_path)
    with net.box() as box:
        actual = box.run([program, group, port])
    assert not oracles.difference(expected.lines({}), actual.lines({})), actual.errors


def test_a_container_on_two_networks_is_reached_by_both_addresses(net: Net) -> None:
    port = free_ports()
    with net.box((1, 2), (2, 2)) as middle, net.box((2, 3)) as b:
        server = middle.start(python(ACCEPT, "0.0.0.0", port))
        first_line(server)
        answer = b.run(python(ASK, f"{pool(2)}.2", port)).output
        assert answer == f"hello ('{pool(2)}.2', {port}) {b.address}\n"
        assert output_of(server)[0].startswith(b.address)


def test_a_server_of_the_host_is_not_reached_at_a_containers_address(net: Net) -> None:
    port = free_ports()
    with socket.create_server(("0.0.0.0", port)), net.box((1, 2)) as a, net.box((1, 3)) as b:
        assert a.run(python(TRY, "127.0.0.1", port, "SOCK_STREAM")).output == "ECONNREFUSED\n"
        assert a.run(python(TRY, b.address, port, "SOCK_STREAM")).output == "ECONNREFUSED\n"
        # The host's server has the port. The container's server gets another one unnoticed.
        server = b.start(python(ACCEPT, "0.0.0.0", port))
        assert first_line(server) == f"('0.0.0.0', {port})"
        answer = a.run(python(ASK, b.address, port)).output
        assert answer == f"hello ('{b.address}', {port}) {a.address}\n"
        assert output_of(server) == [f"{a.address} ('{b.address}', {port}) {a.address}"]


def test_a_server_on_loopback_is_reached_only_from_its_own_container(net: Net) -> None:
    port = free_ports()
    with net.box((1, 2)) as a, net.box((1, 3)) as b:
        server = a.start(python(ACCEPT, "127.0.0.1", port))
        assert first_line(server) == f"('127.0.0.1', {port})"
        assert b.run(python(TRY, a.address, port, "SOCK_STREAM")).output == "ECONNREFUSED\n"
        assert a.run(python(TRY, a.address, port, "SOCK_STREAM")).output == "ECONNREFUSED\n"
        asked = a.run(python(ASK, "127.0.0.1", port))  # the server ends, and so does its container
        assert asked.output == f"hello ('127.0.0.1', {port}) 127.0.0.1\n"
        assert output_of(server) == [f"127.0.0.1 ('127.0.0.1', {port}) 127.0.0.1"]


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_published_port_reaches_the_containers_server(net: Net, host: str) -> None:
    outer = free_ports()
    published = {("tcp", 80): (host, outer)}
    with net.box((1, 2), published=published) as a, net.box((1, 3)) as b:
        server = a.start(python(ACCEPT, "0.0.0.0", 80))
        assert first_line(server) == "('0.0.0.0', 80)"
        with socket.create_connection(("127.0.0.1", outer), 100) as client:
            assert client.recv(5) == b"hello"
        shown = f"{pool(1)}.1 ('{a.address}', 80) {pool(1)}.1"
        assert output_of(server) == [shown]
        for box in (a, b):
            server = a.start(python(ACCEPT, "0.0.0.0", 80))
            first_line(server)
            assert box.run(python(ASK, a.address, 80)).output.startswith("hello")
            assert output_of(server)[0].startswith(box.address)


def test_clients_from_the_host_appear_as_the_gateway_at_a_port_published_unchanged(
    net: Net,
) -> None:
    port = free_ports()
    published = {("udp", port): ("0.0.0.0", port), ("tcp", port): ("0.0.0.0", port)}
    with net.box((1, 2), published=published) as box:
        server = box.start(python(UDP_ECHO, "0.0.0.0", port, 1))
        first_line(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(100)
            client.connect(("127.0.0.1", port))
            client.send(b"host")
            assert client.recv(100) == b"host"
        assert output_of(server) == [f"host {pool(1)}.1"]
        server = box.start(python(ACCEPT, "0.0.0.0", port))
        first_line(server)
        with socket.create_connection(("127.0.0.1", port), 100) as client:
            assert client.recv(5) == b"hello"
        assert output_of(server) == [f"{pool(1)}.1 ('{box.address}', {port}) {pool(1)}.1"]


def test_only_allowed_addresses_are_reached(net: Net) -> None:
    port = free_ports()
    allowed = [Allowed("127.0.0.77/32", port)]
    state = NetworkState("127.0.0.1", egress="listed", allowed=allowed, resolvers=["127.0.0.53"])
    with net.box((1, 2), state=state) as a:
        assert a.run(python(TRY, "192.0.2.1", port, "SOCK_DGRAM")).output == "ENETUNREACH\n"
        assert a.run(python(TRY, "127.0.0.53", 53, "SOCK_DGRAM")).output == "connected\n"
        assert a.run(python(TRY, f"{pool(1)}.1", port, "SOCK_STREAM")).output == "ENETUNREACH\n"


def test_a_client_that_bound_any_port_reaches_containers_and_the_host(net: Net) -> None:
    bound = "s.bind(('', 0)); s.settimeout(100); s.connect(('{0}', {1})); print(s.getsockname()[0])"
    text = "import socket; s = socket.socket(); " + bound
    with socket.create_server(("127.0.0.1", 0)) as outside:
        state = NetworkState("127.0.0.1")
        with net.box((1, 2), state=state) as a, net.box((1, 3)) as b:
            server = a.start(python(ACCEPT, "0.0.0.0", 80))
            first_line(server)
            assert b.run(python(text, a.address, 80)).output == f"{b.address}\n"
            assert output_of(server)[0].startswith(b.address)
            gateway = f"{pool(1)}.1"
            number = outside.getsockname()[1]
            assert b.run(python(text, gateway, number)).status == 0


OWN_PORT = """
import errno, socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(('', {0}))
    print(errno.errorcode[s.connect_ex(('192.0.2.1', 80))], s.getsockname()[1] == {0})
"""


def test_a_client_that_bound_a_port_gets_enetunreach_without_egress(net: Net) -> None:
    with net.box((1, 2)) as box:
        output = box.run(python(OWN_PORT, free_ports())).output
    assert output == "ENETUNREACH True\nENETUNREACH True\n"


def test_the_gateways_address_reaches_the_host(net: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, net.box((1, 2)) as a:
        port = server.getsockname()[1]
        gateway = f"{pool(1)}.1"
        process = a.start(python(ASK, gateway, port))
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"hello")
        assert output_of(process)[0] == f"hello ('{gateway}', {port}) {a.address}"


SHOUT = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.sendto(b'hello', ('{0}', {1}))
"""


def test_the_log_has_a_line_for_each_connection(net: Net, tmp_path: pathlib.Path) -> None:
    port = free_ports()
    log = tmp_path / "connections"
    log.touch()
    with net.box((1, 2)) as a, net.box((1, 3), log=str(log)) as b:
        server = a.start(python(ACCEPT, "0.0.0.0", port))
        first_line(server)
        b.run(python(ASK, a.address, port))
        b.run(python(TRY, a.address, port + 1, "SOCK_STREAM"))
        assert b.run(python(SHOUT, a.address, port)).status == 0
        output_of(server)
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d+ \"/usr/bin/python3[.\d]*\" "
    patterns = [
        rf"connect tcp {re.escape(a.address)}:{port} = -EINPROGRESS #\d+",
        rf"connect tcp {re.escape(a.address)}:{port + 1} = -ECONNREFUSED #\d+",
        rf"send udp {re.escape(a.address)}:{port} = 5",
    ]
    lines = log.read_text().splitlines()
    assert len(lines) == len(patterns)
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(stamp + pattern, line), line


CHATTER = """
import os, socket, threading
server = socket.create_server(('', 0))
client = socket.create_connection(server.getsockname())
other, _ = server.accept()
udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
udp[0].bind(('127.0.0.1', 0))
udp[1].connect(udp[0].getsockname())
for _ in range(500):
    client.sendall(b'x')
    other.recv(1)
    os.write(other.fileno(), b'y')
    os.read(client.fileno(), 1)
    udp[1].send(b'z')
    udp[0].recv(1)
"""


@pytest.mark.parametrize("way", ["trap", "rewrite"])
def test_calls_without_an_address_are_not_intercepted(net: Net, way: str) -> None:
    with net.box((1, 2), trace=True, way=way) as box:
        done = box.run(python(CHATTER))
        lines = pathlib.Path(box.run_dir.trace).read_text().splitlines()
    assert done.status == 0, done
    calls = re.findall(r"^\d+ [tr] \d+ (\w+)", "\n".join(lines), re.MULTILINE)
    counts = {name: calls.count(name) for name in set(calls)}
    assert counts["connect"] == 2
    carrying = ("sendto", "recvfrom", "sendmsg", "recvmsg", "read", "write", "ioctl")
    assert {name: counts[name] for name in carrying if name in counts} == {}


@pytest.mark.parametrize("group", ["tcp", "udp", "later"])
@pytest.mark.parametrize("way", ["rewrite", "ptrace"])
def test_every_interceptor_gives_the_same_results(
    net: Net, guest_program, tmp_path: pathlib.Path, group: str, way: str
) -> None:
    program = guest_program("net")
    port = str(free_ports())
    expected = oracles.native([program, group, port], tmp_path)
    with net.box((1, 2), way=way) as box:
        actual = box.run([program, group, port])
    assert not oracles.difference(expected.lines({}), actual.lines({})), actual.errors


UNTIL_ALLOWED = """
import errno, socket, time
print('ready', flush=True)
for _ in range(2000):
    result = socket.socket().connect_ex(('{0}', {1}))
    if result != errno.ENETUNREACH:
        break
    time.sleep(0.01)
print(errno.errorcode.get(result, result))
"""


def test_landlock_also_confines_a_container_without_a_network(net: Net) -> None:
    with socket.create_server(("127.0.0.1", free_ports())) as server, net.box() as box:
        port = server.getsockname()[1]
        process = box.start(python(UNTIL_ALLOWED, f"{pool(1)}.1", port))
        assert first_line(process) == "ready"  # Landlock confines it now
        # Once the runtime allows the address, only the kernel can still refuse it.
        with NetworkTable.locked(net.directory) as table:
            table.update(box.number, NetworkState(box.address))
        enforced = probe().landlock >= 4
        assert output_of(process) == ["EACCES" if enforced else "0"]

# SPDX-License-Identifier: MIT
"""ping works in containers, whether or not the host lets its users send ICMP."""

from __future__ import annotations

import errno
import json
import shlex
import shutil

import pytest

from tests.harness.builds import Builder
from tests.harness.command import Sandbox
from tests.harness.network.members import address, serve

pytestmark = pytest.mark.guest

# Sends one echo request and prints the answer: type, sequence number, content and sender.
ECHO = """
import json, socket, struct, sys
kind, where = socket.SOCK_RAW if sys.argv[1] == "raw" else socket.SOCK_DGRAM, sys.argv[2]
sock = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
def sum_of(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def message(kind):
    head = struct.pack("!BBHHH", kind, 0, 0, 77, 5)
    return struct.pack("!BBHHH", kind, 0, sum_of(head + b"hello!"), 77, 5) + b"hello!"
sock.sendto(message(8), (where, 0))
sock.settimeout(100)
while True:
    data, peer = sock.recvfrom(2000)
    if kind == socket.SOCK_RAW:
        assert data[0] == 0x45 and data[9] == 1 and sum_of(data[:20]) == 0, data
        assert socket.inet_ntoa(data[12:16]) == where, data
        data = data[20:]
    if data[0] != 8:
        break
answer, _, _, number, sequence = struct.unpack("!BBHHH", data[:8])
assert sum_of(data) == 0, data
assert number == (77 if kind == socket.SOCK_RAW else sock.getsockname()[1]), data
print(json.dumps([answer, sequence, data[8:].decode(), peer[0]]))
"""


@pytest.mark.parametrize("kind", ["datagram", "raw"])
def test_an_echo_request_is_answered_by_its_target(net: Sandbox, kind: str) -> None:
    serve(net, "web", "--network", "back")
    web = address(net, "web", "back")
    for network, asked in (("back", web), ("back", "127.0.0.1"), ("host", "127.0.0.1")):
        told = net.ok(
            "run", "--rm", "--network", network, "host", "python3", "-c", ECHO, kind, asked
        )
        assert json.loads(told) == [0, 5, "hello!", asked]


def test_a_container_of_another_network_cannot_be_pinged(net: Sandbox) -> None:
    serve(net, "web", "--network", "back")
    told = net.call(
        "run", "--rm", "--network", "front", "host", "python3", "-c", ECHO, "datagram",
        address(net, "web", "back"),
    )  # fmt: skip
    assert b"No route to host" in told.stderr


def test_only_root_may_open_raw_sockets(net: Sandbox) -> None:
    call = ("run", "--rm", "--user", "1000", "host", "python3", "-c", ECHO)
    assert b"PermissionError" in net.call(*call, "raw", "127.0.0.1").stderr
    assert json.loads(net.ok(*call, "datagram", "127.0.0.1"))[:2] == [0, 5]


def test_other_raw_sockets_are_refused(net: Sandbox) -> None:
    program = (
        "import socket\n"
        "for kind, protocol in ((socket.SOCK_RAW, socket.IPPROTO_UDP), (10, 768)):\n"
        "    try: socket.socket(socket.AF_INET, kind, protocol)\n"
        "    except OSError as exc: print(exc.errno)\n"
    )
    told = net.ok("run", "--rm", "host", "python3", "-c", program)
    assert told == f"{errno.EPERM}\n{errno.EPERM}\n"


def test_traceroute_datagrams_are_refused_while_a_raw_icmp_socket_is_open(
    net: Sandbox,
) -> None:
    program = (
        "import socket\n"
        "ear = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)\n"
        "mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "print(mouth.sendto(b'x', ('127.0.0.1', 33433)))\n"
        "try: mouth.sendto(b'x', ('127.0.0.1', 33434))\n"
        "except OSError as exc: print(exc.errno)\n"
    )
    told = net.ok("run", "--rm", "host", "python3", "-c", program)
    assert told == f"1\n{errno.EPERM}\n"


def test_ping_finds_containers_by_name_also_during_a_build(builder: Builder) -> None:
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed (busybox-static)")
    net = builder.engine
    net.ok("network", "create", "back")
    serve(net, "web", "--network", "back")
    ping = shlex.split("busybox ping -c 2 -W 30 web")
    told = net.ok("run", "--rm", "--network", "back", "base", *ping)
    assert "2 packets transmitted, 2 packets received, 0% packet loss" in told
    builder.ok("FROM base\nRUN busybox ping -c 1 web\n", "--network", "back")
    hosts = ("--add-host", "there.example:127.0.0.1")
    builder.ok("FROM base\nRUN busybox ping -c 1 there.example\n", *hosts)

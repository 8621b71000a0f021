# SPDX-License-Identifier: MIT
"""Published ports: several host addresses and ports for one port of a container."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import murder
from tests.harness.network.members import ECHO, SERVER, serve
from tests.harness.network.ports import free_port, free_ports
from tests.harness.polling import until

pytestmark = pytest.mark.guest

HTTP = """
import http.server, signal, sys
signal.alarm(600)
server = http.server.ThreadingHTTPServer(("0.0.0.0", 80), http.server.SimpleHTTPRequestHandler)
print("up", flush=True)
server.serve_forever()
"""


def answer(host: str, port: int) -> str:
    with socket.create_connection((host, port), 100) as sock:
        return sock.recv(100).decode()


def two_ports() -> tuple[int, int]:
    first = free_ports(2)
    return first, first + 1


def test_a_port_that_is_published_twice_answers_at_both_ports(net: Sandbox) -> None:
    first, second = two_ports()
    serve(net, "web", "-p", f"{first}:80", "-p", f"127.0.0.1:{second}:80", port=80)
    gateway = net.ok("inspect", "-f", "{{.NetworkSettings.Gateway}}", "web").strip()
    for host, port in (("127.0.0.1", first), ("::1", first), ("127.0.0.1", second)):
        assert answer(host, port) == f"web {gateway}"
    lines = [f"0.0.0.0:{first}", f"127.0.0.1:{second}", f"[::]:{first}"]
    assert net.ok("port", "web", "80").splitlines() == lines
    assert net.ok("ps", "--format", "{{.Ports}}") == (
        f"0.0.0.0:{first}->80/tcp, 127.0.0.1:{second}->80/tcp, [::]:{first}->80/tcp\n"
    )
    shown = json.loads(net.ok("inspect", "web"))[0]
    places = [("0.0.0.0", first), ("::", first), ("127.0.0.1", second)]
    assert shown["NetworkSettings"]["Ports"]["80/tcp"] == [
        {"HostIp": ip, "HostPort": str(port)} for ip, port in places
    ]
    assert shown["HostConfig"]["PortBindings"]["80/tcp"] == [
        {"HostIp": "", "HostPort": str(first)},
        {"HostIp": "127.0.0.1", "HostPort": str(second)},
    ]
    # Inside, the container only has one listener.
    tables = net.ok("exec", "web", "cat", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp")
    listeners = [line.split()[1] for line in tables.splitlines() if " 00000000:0000 0" in line]
    assert listeners == ["00000000:0050"]


def test_a_range_maps_each_port_or_gives_one_port_the_first_free_one(net: Sandbox) -> None:
    first, second = two_ports()
    serve(net, "one", "-p", f"127.0.0.1:{first}-{first + 1}:80-81", port=81)
    assert answer("127.0.0.1", first + 1).startswith("one ")
    serve(net, "two", "-p", f"127.0.0.1:{first}-{second + 50}:80", port=80)
    [line] = net.ok("port", "two").splitlines()
    port = int(line.rpartition(":")[2])
    assert first + 1 < port <= second + 50
    assert answer("127.0.0.1", port).startswith("two ")


def test_a_port_may_be_published_on_ipv6_only(net: Sandbox) -> None:
    port = free_port()
    serve(net, "web", "-p", f"[::1]:{port}:80", port=80)
    assert answer("::1", port).startswith("web 127.")
    assert net.ok("port", "web") == f"80/tcp -> [::1]:{port}\n"
    with pytest.raises(ConnectionRefusedError):
        answer("127.0.0.1", port)


def test_a_server_that_only_listens_on_ipv6_is_reached_by_ipv6(net: Sandbox) -> None:
    port = free_port()
    only = SERVER.replace(
        "listener = socket.socket()",
        "listener = socket.socket(socket.AF_INET6)\n"
        "listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)",
    ).replace("0.0.0.0", "::")
    serve(net, "web", "-p", f"{port}:80", port=80, script=only)
    assert answer("::1", port) == "web ::1"


def test_datagrams_are_answered_from_the_port_that_they_were_sent_to(net: Sandbox) -> None:
    first, second = two_ports()
    serve(net, "echo", "-p", f"{first}:7777/udp", "-p", f"{second}:7777/udp", script=ECHO)
    for host, port in (
        ("127.0.0.1", first),
        ("::1", first),
        ("127.0.0.1", second),
        ("127.9.8.7", second),
        ("::1", second),
    ):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(100)
            sock.connect((host, port))  # so the socket only receives answers from there
            for word in (b"one", b"two"):
                sock.send(word)
                assert sock.recv(100) == word.upper()


def test_a_host_port_in_use_is_refused_before_the_start(net: Sandbox) -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        done = net.call("run", "--name", "web", "-p", f"[::1]:{port}:80", "host", "true")
    assert done.returncode == 125
    assert f"failed to bind host port [::1]:{port}/tcp: address already in use" in (
        done.stderr.decode()
    )
    port = free_port()
    flags = ("-p", f"{port}:80", "-p", f"0.0.0.0:{port}:81")
    done = net.call("run", "--rm", *flags, "host", "true")
    assert done.returncode == 125
    assert b"port is already allocated" in done.stderr


def test_host_ports_are_free_again_after_every_kind_of_end(net: Sandbox) -> None:
    first, second = two_ports()
    flags = ("-p", f"{first}:5432", "-p", f"{second}:5432")
    serve(net, "one", *flags)
    net.ok("rm", "-f", "one")
    serve(net, "two", *flags)
    murder(net, "two")
    serve(net, "three", *flags)
    assert answer("::1", second).startswith("three")
    net.ok("restart", "-t", "0", "three")
    net.ok("stop", "-t", "0", "three")
    for host in ("127.0.0.1", "::1"):
        with pytest.raises(ConnectionRefusedError):
            answer(host, second)


def test_a_connection_is_reset_if_the_container_has_no_server_yet(net: Sandbox) -> None:
    port = free_port()
    net.ok("run", "-d", "--name", "idle", "-p", f"[::1]:{port}:80", "host", "sleep", "100")
    with pytest.raises(ConnectionResetError):
        answer("::1", port)


def test_a_web_server_sends_a_large_page_through_each_port(net: Sandbox) -> None:
    first, second = two_ports()
    command = ("host", "/usr/bin/python3", "-c", HTTP)
    flags = ("-w", "/tmp", "-p", f"{first}:80", "-p", f"{second}:80")
    net.ok("run", "-d", "--name", "web", *flags, *command)
    net.ok("exec", "web", "dd", "if=/dev/zero", "of=/tmp/page", "bs=1M", "count=8", "status=none")
    until(lambda: "up\n" in net.ok("logs", "web"))
    for host, port in (("127.0.0.1", first), ("::1", first), ("127.0.0.1", second)):
        connection = http.client.HTTPConnection(host, port, timeout=100)
        connection.request("GET", "/page")
        assert connection.getresponse().read() == bytes(8 << 20)
        connection.close()

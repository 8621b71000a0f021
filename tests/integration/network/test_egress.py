# SPDX-License-Identifier: MIT
"""Connections of containers beyond their networks, and the log of connections."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import record
from tests.harness.network.members import CALL, address, call, serve
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_host_docker_internal_reaches_the_host(net: Sandbox) -> None:
    with socket.socket() as listener:
        listener.settimeout(100)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.sendall(b"the machine")

        thread = threading.Thread(target=answer)
        thread.start()
        port = str(listener.getsockname()[1])
        command = ("/usr/bin/python3", "-c", CALL, "host.docker.internal", port)
        assert net.ok("run", "--rm", "host", *command) == "the machine\n"
        thread.join()


def test_network_none_only_has_its_own_loopback(net: Sandbox) -> None:
    serve(net, "one", "--network", "back")
    serve(net, "alone", "--network", "none")
    assert call(net, "alone", "127.0.0.1") == "alone 127.0.0.1"
    assert call(net, "alone", address(net, "one", "back")) == "ENETUNREACH"
    assert call(net, "alone", "192.0.2.1") == "ENETUNREACH"
    assert net.ok("inspect", "-f", "{{.HostConfig.NetworkMode}}", "alone") == "none\n"


def test_an_internal_network_has_no_way_out(net: Sandbox) -> None:
    net.ok("network", "create", "--internal", "inner")
    serve(net, "one", "--network", "inner")
    serve(net, "two", "--network", "inner")
    assert call(net, "one", "two").startswith("two")
    assert call(net, "one", "192.0.2.1") in ("ENETUNREACH", "EHOSTUNREACH")


@contextmanager
def host_servers(count: int) -> Iterator[list[int]]:
    """Run servers on the host's 127.0.0.1 that send their port to every client; yield the ports."""
    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]

        def answer(listener: socket.socket) -> None:
            with suppress(OSError):
                while True:
                    caller, _ = listener.accept()
                    with caller:
                        caller.sendall(b"port %d" % listener.getsockname()[1])

        for listener in listeners:
            pool.submit(answer, listener)
        try:
            yield [listener.getsockname()[1] for listener in listeners]
        finally:
            for listener in listeners:
                listener.shutdown(socket.SHUT_RDWR)


DATAGRAM = """
import errno, socket, sys
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (sys.argv[1], int(sys.argv[2])))
    print("sent")
except OSError as exc:
    print(errno.errorcode[exc.errno])
"""


def test_allow_host_limits_the_reachable_hosts(net: Sandbox) -> None:
    with host_servers(4) as (first, second, third, other):
        [settings] = json.loads(net.ok("network", "inspect", "back"))[0]["IPAM"]["Config"]
        serve(net, "peer", "--network", "back")
        flags = ["--network", "back", "--add-host", "box:host-gateway"]
        for text in (
            f"box:{first}",
            f"host.docker.internal:{second}",
            f"{settings['Gateway']}:{third}",
        ):
            flags += ["--allow-host", text]
        serve(net, "kept", *flags)
        assert call(net, "kept", "box", first) == f"port {first}"
        assert call(net, "kept", "host.docker.internal", second) == f"port {second}"
        assert call(net, "kept", settings["Gateway"], third) == f"port {third}"
        assert call(net, "kept", "box", other) == "ENETUNREACH"
        assert call(net, "kept", "192.0.2.1") == "ENETUNREACH"
        sent = net.ok("exec", "kept", "/usr/bin/python3", "-c", DATAGRAM, "192.0.2.1", "53")
        assert sent == "ENETUNREACH\n"
        # The container's networks and the container itself are not limited.
        assert call(net, "kept", "peer").startswith("peer")
        assert call(net, "kept", "127.0.0.1") == "kept 127.0.0.1"
        # Without a port every port of the name is allowed. Another --add-host name is not.
        serve(net, "wide", *flags[:4], "--allow-host", "box", "--add-host", "far:192.0.2.9")
        assert call(net, "wide", "box", other) == f"port {other}"
        assert call(net, "wide", "far") == "ENETUNREACH"


def test_an_allowed_name_that_cannot_be_resolved_is_refused_before_the_start(net: Sandbox) -> None:
    done = net.call("run", "--allow-host", "x" * 70, "host", "true")
    assert done.returncode == 125
    [line] = done.stderr.decode().splitlines()
    assert f"--allow-host {'x' * 70}: cannot be resolved" in line


# Sends much and receives little, is killed with an open connection, fails to connect, and sends a
# datagram.
TALK = """
import os, signal, socket, sys
with socket.create_connection(("one", 5432), 100) as sock:
    sock.sendall(b"x" * 70000)
    while sock.recv(1000):
        pass
child = os.fork()
if child == 0:
    sock = socket.create_connection(("one", 5432), 100)
    sock.sendall(b"y" * 300)
    os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child, 0)
try:
    socket.create_connection(("one", 5433))
except ConnectionRefusedError:
    pass
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("one", 7777))
"""


LISTEN = """
import signal, socket, threading
signal.alarm(600)
listener = socket.create_server(("", 5432))
print("up", flush=True)
def serve(caller):
    heard = 0
    while heard < 70000 and (data := caller.recv(100000)):
        heard += len(data)
    if heard == 70000:
        caller.sendall(b"thanks")
    caller.close()
while True:
    caller, _ = listener.accept()
    threading.Thread(target=serve, args=(caller,)).start()
"""


def test_connections_are_logged_with_names_and_bytes(net: Sandbox, tmp_path: pathlib.Path) -> None:
    log, other = tmp_path / "log", tmp_path / "other"
    serve(net, "one", "--network", "back", "--network-log", str(other), script=LISTEN)
    words = ("/usr/bin/python3", "-c", TALK)
    net.ok("run", "--rm", "--network", "back", "--network-log", str(log), "host", *words)
    place = f"{re.escape(address(net, 'one', 'back'))}"
    start = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d+ "/usr/bin/python3[.\d]*"'
    # The peer's end of stream counts as a byte.
    patterns = [
        f"{start} connect tcp {place}:5432 one = 0 sent 70000 received [67]",
        f"{start} connect tcp {place}:5432 one = 0 sent 300 received [01]",
        f"{start} connect tcp {place}:5433 one = -ECONNREFUSED",
        f"{start} send udp {place}:7777 one = 5",
    ]
    lines = [line for line in log.read_text().splitlines() if " 127.0.0.11:53 " not in line]
    for pattern in patterns:
        assert [line for line in lines if re.fullmatch(pattern, line)], (pattern, lines)
    assert len(lines) == len(patterns)
    # The server has a log as well, which grows while the container runs.
    ended = f"{start} accept tcp 127[.0-9]+:\\d+ [0-9a-z_]+ = 0 sent 6 received 7000[01]"
    until(lambda: any(re.fullmatch(ended, line) for line in other.read_text().splitlines()))


def test_no_process_holds_the_log_after_its_supervisor_was_killed(
    net: Sandbox, tmp_path: pathlib.Path
) -> None:
    log = tmp_path / "log"
    serve(net, "one", "--network", "back", "--network-log", str(log))
    assert call(net, "one", "127.0.0.1") == "one 127.0.0.1"
    state = record(net, "one")
    os.kill(state["keeper"], signal.SIGKILL)
    with suppress(ProcessLookupError):  # it dies with its supervisor
        os.kill(state["pid"], signal.SIGKILL)

    def writers() -> list[str]:
        found = []
        for link in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                if os.readlink(link) == str(log):
                    found.append(str(link))
        return found

    until(lambda: not writers())
    assert net.ok("start", "one") == "one\n"
    until(lambda: " accept tcp " in log.read_text() and "connect tcp" in log.read_text())

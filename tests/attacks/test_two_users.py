# SPDX-License-Identifier: MIT
"""Another user of the machine cannot read, block or impersonate a container, nor reach its ports.

Each attack succeeded before the runtime asked the kernel whose a connection is, and before places
that another user may take had a way around.
"""

from __future__ import annotations

import json
import os
import pathlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.models.addresses import bridge_subnet, format_address
from sandbox.native.network import NetworkTable
from sandbox.runtime.network import host_ports, members
from sandbox.store.layout import Layout
from tests.harness.command import Sandbox
from tests.harness.network.second_user import VARIABLE, SecondUser
from tests.harness.polling import until

pytestmark = pytest.mark.guest

SERVER = """
import socket, sys
with socket.create_server(("0.0.0.0", 5432)) as server:
    print("up", flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"secret of the server")
"""
# Bind, so that the port is noted, and end the server; the container goes on.
ENDED = """
import signal, socket
socket.create_server(("0.0.0.0", 5432)).close()
print("up", flush=True)
signal.pause()
"""
CLIENT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) as c:
        print(c.recv(100).decode() or "nothing")
except OSError as problem:
    print(type(problem).__name__)
"""
# Listen at an address, with a greeting, until the input ends.
LISTENER = """
import socket, sys, threading
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
def greet():
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"I am the impostor")
threading.Thread(target=greet, daemon=True).start()
print("up", flush=True)
sys.stdin.read()
"""
# Take the first addresses of another user's pool, as far as they are free.
HOLDER = """
import socket, sys
taken = []
for last in range(1, 60):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        one.bind((f"{sys.argv[1]}.{last}", int(sys.argv[2])))
    except OSError:
        continue
    taken.append(one)
print(len(taken), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def second_user() -> SecondUser:
    """Another user of this machine; the test is skipped where root did not start the tests."""
    path = os.environ.get(VARIABLE, "")
    if not path:
        pytest.skip("only root can make a second user: start the tests as root")
    return SecondUser(path)


@contextmanager
def running(
    sandbox: Sandbox, *options: str, program: str = SERVER, has_address: bool = True
) -> Iterator[str]:
    """Run a server in a container; give its address, if it is on a network."""
    name = sandbox.ok("run", "-d", *options, "host", "python3", "-c", program).strip()
    try:
        until(lambda: "up" in sandbox.ok("logs", name))
        yield address_of(sandbox, name) if has_address else ""
    finally:
        sandbox.ok("rm", "-f", name)


def address_of(sandbox: Sandbox, name: str) -> str:
    networks = json.loads(sandbox.ok("inspect", name))[0]["NetworkSettings"]["Networks"]
    return str(next(iter(networks.values()))["IPAddress"])


def ask(address: str, port: int) -> str:
    with socket.create_connection((address, port), timeout=20) as connection:
        return connection.recv(100).decode()


def test_another_user_reaches_published_ports_only(
    sandbox: Sandbox, second_user: SecondUser
) -> None:
    with running(sandbox) as address:
        assert ask(address, 5432) == "secret of the server", "its own user reaches it"
        for _ in range(3):
            assert second_user.python(CLIENT, address, "5432").strip() in (
                "nothing",
                "ConnectionResetError",
            )
        assert ask(address, 5432) == "secret of the server"
        assert sandbox.host("python3", "-c", CLIENT, address, "5432").strip() == (
            "secret of the server"
        ), "so does another container"
    with running(sandbox, "-p", "127.0.0.1::5432") as _:
        shown = json.loads(sandbox.ok("ps", "--format", "json").splitlines()[0])["Ports"]
        port = shown.partition("->")[0].rpartition(":")[2]
        assert second_user.python(CLIENT, "127.0.0.1", port).strip() == "secret of the server"


def test_another_user_does_not_reach_a_container_without_a_network(
    sandbox: Sandbox, second_user: SecondUser
) -> None:
    with running(sandbox, "--network", "none", has_address=False):
        layout = Layout(sandbox.store)
        (member,) = members.live_members(layout).values()
        with NetworkTable.reading(members.directory_of(layout)) as table:
            (row,) = table.ports()
        assert ask(member.address, row.real_port) == "secret of the server"
        found = second_user.python(CLIENT, member.address, str(row.real_port)).strip()
        assert found in ("nothing", "ConnectionResetError")


def test_another_user_cannot_pose_as_a_container_that_does_not_listen(
    sandbox: Sandbox, second_user: SecondUser
) -> None:
    with (
        running(sandbox, program=ENDED) as address,
        second_user.python_running(LISTENER, address, "5432") as said,
    ):
        assert said == "up"
        assert ask(address, 5432) == "I am the impostor", "the kernel lets everybody listen"
        found = sandbox.host("python3", "-c", CLIENT, address, "5432").strip()
        assert found == "ConnectionRefusedError"


def test_another_user_cannot_keep_containers_from_starting(
    sandbox: Sandbox, second_user: SecondUser
) -> None:
    first = format_address(bridge_subnet(os.getuid()).base).rpartition(".")[0]
    port = str(host_ports.GUARD_PORT)
    with second_user.python_running(HOLDER, first, port) as count, running(sandbox) as address:
        assert int(count) > 0
        assert ask(address, 5432) == "secret of the server"


def test_another_user_reads_nothing_of_a_container(
    sandbox: Sandbox, second_user: SecondUser, tmp_path: pathlib.Path
) -> None:
    look = (
        "import os, sys\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        print(os.listdir(path))\n"
        "    except OSError as problem:\n"
        "        print(type(problem).__name__)\n"
    )
    with running(sandbox):
        identity = sandbox.ok("ps", "-q", "--no-trunc").strip()
        state = json.loads((sandbox.store / f"containers/{identity}/state.json").read_text())
        base = os.path.dirname(state["runDir"])
        said = second_user.python(look, base, state["runDir"], str(sandbox.store))
        assert said.split() == ["PermissionError"] * 3
        connect = (
            "import socket, sys\n"
            "try:\n"
            "    socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
            "except OSError as problem:\n"
            "    print(type(problem).__name__)\n"
        )
        assert second_user.python(connect, f"{state['runDir']}.sock").strip() == "PermissionError"

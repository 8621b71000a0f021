# SPDX-License-Identifier: MIT
"""Networks with as many containers as they have addresses."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable

import pytest

from tests.harness.command import Sandbox
from tests.harness.crowd import crowd
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.timeout(600)]

# Connects to every given name and prints a line for each answer.
CALL = """
import socket, sys
for name in sys.argv[1:]:
    with socket.create_connection((name, 80), 100) as sock:
        print(name, sock.recv(100).decode(), sock.getpeername()[0])
"""
CROWD = 61  # a /26 without the network's own address, the gateway's and the broadcast one


def _addresses(engine: Sandbox) -> dict[str, str]:
    """Return the address of every container of the network by name."""
    [network] = json.loads(engine.ok("network", "inspect", "crowd"))
    rows = network["Containers"].values()
    return {row["Name"]: row["IPv4Address"].split("/")[0] for row in rows}


def test_a_network_takes_a_container_for_each_address_and_all_find_each_other(
    engine: Sandbox, guest_program: Callable[..., pathlib.Path]
) -> None:
    """bench/crowd.py does the same with 500."""
    member = str(guest_program("member", "gcc", "-static"))
    names = [f"member-{number}" for number in range(CROWD)]
    engine.ok("network", "create", "--subnet", "127.249.6.0/26", "crowd")
    with crowd(engine, "crowd", CROWD, member):
        until(lambda: engine.ok("ps", "-q").count("\n") == CROWD, seconds=200)
        addresses = _addresses(engine)
        assert sorted(addresses) == sorted(names)
        assert len(set(addresses.values())) == CROWD
        for caller in (names[0], names[-1]):
            output = engine.ok("exec", caller, "/usr/bin/python3", "-c", CALL, *names)
            assert output.splitlines() == [f"{name} {name} {addresses[name]}" for name in names]
        done = engine.call("run", "--name", "late", "--network", "crowd", "host", "true")
        assert done.returncode == 125
        [line] = done.stderr.decode().splitlines()
        assert "no available IPv4 addresses on this network's address pools: crowd (" in line
        engine.ok("kill", "-s", "TERM", names[30])
        until(lambda: len(_addresses(engine)) == CROWD - 1)
        assert engine.ok("start", "late") == "late\n"
    assert _addresses(engine) == {}

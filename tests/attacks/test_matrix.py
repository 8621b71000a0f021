# SPDX-License-Identifier: MIT
"""Every attack by a program, on every way into a container, under every interceptor.

The test files of the subjects show that each attack succeeds without the fence.
"""

from __future__ import annotations

import os
import pathlib
import secrets
import socket
import subprocess
import tty
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.native.probe import probe
from tests.attacks.test_copies import links
from tests.attacks.test_locks import locks
from tests.attacks.test_sockets import engine_of, supervisor_of
from tests.harness import attacks
from tests.harness.attacks import INTERCEPTORS, WAYS, Arena, successes
from tests.harness.containers import processes

pytestmark = pytest.mark.guest

PROGRAMS = (
    "files", "kernel", "setid", "terminals", "scope", "peers", "locks", "settings", "control",
    "sockets", "hiding", "poison", "links", "procfs", "alone", "ipc",
)  # fmt: skip
# What a program may do, and says all the same.
ALLOWED = {"leave the session", "forge four places"}


@pytest.fixture(scope="module")
def commands(fenced: Arena) -> Iterator[list[list[str]]]:
    """The attacks: programs with their arguments."""
    with ExitStack() as stack:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.write(master, b"a secret")
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        name = f"sandbox-test-{secrets.token_hex(4)}"
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(f"\0{name}")
        listener.listen()
        victim = stack.enter_context(subprocess.Popen(["sleep", "3000"]))
        stack.callback(victim.kill)
        api = stack.enter_context(engine_of(fenced)).socket
        pid = str(victim.pid)
        yield [
            ["files", str(fenced.key), str(fenced.canary)],
            ["kernel"],
            ["setid"],
            ["terminals", os.ttyname(slave)],
            *(
                [["scope", pid, name], ["peers", pid], ["procfs", pid]]
                if probe().landlock >= 6
                else []
            ),
            ["locks", *locks(fenced)],
            ["settings", str(fenced.sandbox.store)],
            links(fenced),
            ["control", "names"],
            ["control", "memory"],
            ["sockets", str(api), supervisor_of(fenced), str(attacks.program("sockets"))],
            ["alone", *ports(stack)],
            ["ipc", "make"],
            ["hiding", f"hidden-{name}"],
            ["poison", "forge"],
            ["poison", "check"],
        ]
        assert victim.poll() is None


def ports(stack: ExitStack) -> list[str]:
    """Return the ports of a TCP server and of a UDP server of the machine."""
    stream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    datagram = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    datagram.bind(("127.0.0.1", 0))
    return [str(server.getsockname()[1]) for server in (stream, datagram)]


def of_strangers(found: dict[str, str]) -> dict[str, str]:
    return {what: how for what, how in found.items() if not what.endswith(("a child", "a thread"))}


def check(fenced: Arena, commands: list[list[str]], way: str, interceptor: str) -> None:
    attempted = 0
    for command in commands:
        network = "none" if command[0] == "alone" else ""
        found = of_strangers(
            fenced.attack(*command, way=way, interceptor=interceptor, network=network)
        )
        assert set(successes(found)) <= ALLOWED, command
        attempted += len(found)
        if command[0] in ("hiding", "poison"):  # what an exec leaves ends with its container
            for container in [key for key in fenced.running if key != "locks"]:
                fenced.sandbox.ok("rm", "-f", fenced.running.pop(container))
    assert attempted >= 80
    assert processes(commands[-3][1]) == []
    assert not (pathlib.Path(fenced.canary) / "made").exists()
    assert fenced.state().items() >= fenced.before.items()


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "interceptor"), [(way, name) for way in WAYS for name in INTERCEPTORS]
)
def test_no_attack_succeeds_on_any_way_in_under_any_interceptor(
    fenced: Arena, commands: list[list[str]], way: str, interceptor: str
) -> None:
    check(fenced, commands, way, interceptor)

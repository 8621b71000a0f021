# SPDX-License-Identifier: MIT
"""The engine's own sockets serve no container that was not given one.

Before the engine and the supervisors asked who connects, the attempts succeeded. The one by a
program of the machine succeeds without the fence.
"""

from __future__ import annotations

import json
import pathlib
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.harness import attacks
from tests.harness.apiserver import Server
from tests.harness.attacks import Arena, successes
from tests.harness.polling import until

pytestmark = pytest.mark.guest

PROGRAMS = ("sockets",)
BY_ANOTHER_PROGRAM = "use the engine by a program of the machine"


@contextmanager
def engine_of(arena: Arena, *flags: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as short:
        server = Server(arena.sandbox, f"{short}/api", arena.folder / "api.log")
        server.log.unlink(missing_ok=True)
        server.start(*flags)
        try:
            yield server
        finally:
            server.stop(signal.SIGTERM)


def supervisor_of(arena: Arena) -> str:
    """Return the socket of the supervisor of another container that runs."""
    name = arena.idle(options=("--label", "other"))
    identity = json.loads(arena.sandbox.ok("inspect", name))[0]["Id"]
    state = json.loads((arena.sandbox.store / f"containers/{identity}/state.json").read_text())
    return f"{state['runDir']}.sock"


def attempts(arena: Arena, **how: str) -> dict[str, str]:
    with engine_of(arena) as server:
        program = attacks.program("sockets")
        return arena.attack("sockets", server.socket, supervisor_of(arena), program, **how)


def test_without_the_fence_a_container_starts_a_program_that_uses_the_engine(
    unfenced: Arena,
) -> None:
    assert successes(attempts(unfenced)) == [
        BY_ANOTHER_PROGRAM,
        "open what another container shares",
        "put a socket in the engine's place",
    ]


@pytest.mark.parametrize("way", ["run", "exec"])
def test_no_container_uses_the_engine_or_a_supervisor(fenced: Arena, way: str) -> None:
    found = attempts(fenced, way=way)
    assert len(found) == 8
    assert successes(found) == []


def test_a_container_uses_the_engine_by_a_bind_of_the_socket(fenced: Arena) -> None:
    with engine_of(fenced) as server:
        bind = ("-v", f"{server.socket}:/var/run/docker.sock")
        command = ("sockets", server.socket, supervisor_of(fenced), "/none")
        found = fenced.attack(*command, options=bind)
    assert successes(found) == ["use the engine", "use the engine unseen"]


def test_a_container_uses_the_engine_over_tcp_only_with_a_token(fenced: Arena) -> None:
    with engine_of(fenced, "--tcp", "127.0.0.1:0") as server:
        listening = re.compile(r"tcp://127\.0\.0\.1:(\d+)")
        port = until(lambda: listening.search(server.log.read_text()))
        assert port is not None
        found = fenced.attack("sockets", "tcp", port[1])
    assert found == {"use the engine over TCP": "EACCES"}


def test_the_attacks_file_is_a_program_of_the_machine(fenced: Arena) -> None:
    with engine_of(fenced) as server:
        program = pathlib.Path(attacks.program("sockets"))
        assert subprocess.run([program, server.socket], check=False, timeout=100).returncode == 0

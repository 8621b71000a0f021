# SPDX-License-Identifier: MIT
"""On kernels with an older Landlock each part of the fence stands that they have."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from sandbox.native.probe import probe
from tests.harness.attacks import Arena, successes
from tests.harness.command import ROOT, Sandbox

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(probe().landlock < 6, reason="this kernel has an older Landlock itself"),
]

PROGRAMS = ("files", "scope", "alone")
SCRIPT = ROOT / "tests" / "attacks" / "older_kernel.py"
VERSIONS = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class OlderSandbox(Sandbox):
    """The command, on a kernel with this version of Landlock."""

    version: int = 0

    def argv(self, *arguments: str | os.PathLike[str]) -> list[str]:
        """Return the command line, in the wrapper."""
        return [sys.executable, str(SCRIPT), str(self.version), *super().argv(*arguments)]


def on(fenced: Arena, version: int) -> Arena:
    """Return the arena on another kernel."""
    sandbox = OlderSandbox(fenced.sandbox.store, fenced.sandbox.environ, version)
    return replace(fenced, sandbox=sandbox)


@pytest.fixture(scope="module")
def victim() -> Iterator[str]:
    """A process of the machine."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield str(process.pid)
        process.kill()


@pytest.mark.parametrize("version", VERSIONS)
def test_files_are_out_of_reach_on_every_kernel_with_landlock(fenced: Arena, version: int) -> None:
    assert successes(on(fenced, version).attack("files", fenced.key, fenced.canary)) == []


@pytest.mark.parametrize("version", [5, 6])
def test_signals_end_at_the_container_from_abi_6_on(
    fenced: Arena, victim: str, version: int
) -> None:
    found = on(fenced, version).attack("scope", victim, "nothing")
    assert ("send a signal" in successes(found)) == (version < 6)


@pytest.mark.parametrize("version", [3, 4])
def test_streams_are_held_in_a_container_without_a_network_from_abi_4_on(
    fenced: Arena, version: int
) -> None:
    """The filter holds all the rest on every kernel."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        found = on(fenced, version).attack("alone", port, port, network="none")
    allowed = ["connect by TCP", "listen on a port of the machine"] if version < 4 else []
    assert successes(found) == allowed


def test_a_container_starts_and_ends_on_every_kernel(fenced: Arena) -> None:
    for version in VERSIONS:
        sandbox = on(fenced, version).sandbox
        assert sandbox.ok("run", "--rm", "host", "cat", "/proc/self/comm") == "cat\n", version

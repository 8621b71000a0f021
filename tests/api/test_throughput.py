# SPDX-License-Identifier: MIT
"""Much data through attach and exec: every byte of it, for little of the server's time."""

from __future__ import annotations

import os
import pathlib

import pytest

from tests.harness.apiserver import Docker, Server, docker_on

pytestmark = pytest.mark.guest
MEGABYTES = 128
RATE = 300  # megabytes in a second of the server's own processor time


@pytest.fixture
def docker(stocked: Server, api: Server, tmp_path: pathlib.Path) -> Docker:
    return docker_on(api, tmp_path)


def used(server: Server) -> float:
    """Return the seconds of processor time that a server's process has used."""
    text = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_what_is_sent_comes_back_byte_for_byte_and_costs_the_server_little(
    docker: Docker, verb: str
) -> None:
    docker.ok("run", "-d", "--name", "box", "box", "sleep", "1000")
    command = {
        "run": ("run", "-i", "--rm", "--log-driver", "none", "box", "cat"),
        "exec": ("exec", "-i", "box", "cat"),
    }[verb]
    data = os.urandom(MEGABYTES << 20)
    before = used(docker.server)
    done = docker.call(*command, stdin=data, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data  # both ways
    assert used(docker.server) - before < 2 * MEGABYTES / RATE

# SPDX-License-Identifier: MIT
"""Large amounts of data through attach and exec arrive complete and use little CPU time."""

from __future__ import annotations

import os
import pathlib

import pytest

from tests.harness.apiserver import Docker, Server, docker_on

pytestmark = pytest.mark.guest
MEGABYTES = 128
RATE = 300  # megabytes per second of the server's CPU time


@pytest.fixture
def docker(stocked: Server, api: Server, tmp_path: pathlib.Path) -> Docker:
    return docker_on(api, tmp_path)


def used(server: Server) -> float:
    """Return the CPU time of a server's process in seconds."""
    text = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_sent_data_comes_back_unchanged_and_uses_little_cpu_time(docker: Docker, verb: str) -> None:
    docker.ok("run", "-d", "--name", "box", "box", "sleep", "1000")
    command = {
        "run": ("run", "-i", "--rm", "--log-driver", "none", "box", "cat"),
        "exec": ("exec", "-i", "box", "cat"),
    }[verb]
    data = os.urandom(MEGABYTES << 20)
    before = used(docker.server)
    done = docker.call(*command, stdin=data, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data  # sent to the container and back
    assert used(docker.server) - before < 2 * MEGABYTES / RATE

# SPDX-License-Identifier: MIT
"""The real docker command line: addresses, links and published ports."""

from __future__ import annotations

import pathlib

import pytest

from tests.harness.apiserver import Docker, Server, docker_on
from tests.harness.network.ports import free_port

pytestmark = pytest.mark.guest


@pytest.fixture
def docker(stocked: Server, api: Server, tmp_path: pathlib.Path) -> Docker:
    return docker_on(api, tmp_path)


def test_links_are_made_and_removed(docker: Docker) -> None:
    ok = docker.ok
    ok("run", "-d", "--name", "db", "-e", "PLACE=here", "box", "sleep", "1000")
    ok("run", "-d", "--name", "web", "--link", "db:data", "box", "sleep", "1000")
    address = ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "db").strip()
    [line] = [
        line for line in ok("exec", "web", "cat", "/etc/hosts").splitlines() if "data" in line
    ]
    assert line.split()[0] == address
    assert "DATA_ENV_PLACE=here\n" in ok("exec", "web", "env")
    assert sorted(ok("ps", "--no-trunc", "--format", "{{.Names}}").split()) == [
        "db,web/data",
        "web",
    ]
    assert ok("rm", "--link", "web/data") == "web/data\n"
    assert "data" not in ok("exec", "web", "cat", "/etc/hosts")
    ok("rm", "--link", "web/data", code=1)
    assert ok("container", "ls", "-q").count("\n") == 2


def test_a_chosen_hardware_address_is_the_interface_s(docker: Docker) -> None:
    ok, wanted = docker.ok, "02:42:ac:11:00:0a"
    assert wanted in ok("run", "--rm", "--mac-address", wanted, "box", "ip", "link", "show", "eth0")
    ok("create", "--name", "made", "--mac-address", wanted, "box", "true")
    where = "{{.NetworkSettings.Networks.bridge.MacAddress}}"
    assert ok("inspect", "-f", where, "made") == f"{wanted}\n"
    ok("run", "--rm", "--mac-address", "nonsense", "box", "true", code=125)


def test_published_ports_and_sizes_are_listed(docker: Docker) -> None:
    ok, port = docker.ok, free_port()
    ok("run", "-d", "--name", "web", "-p", f"127.0.0.1:{port}:80", "box", "sleep", "1000")
    assert ok("port", "web") == f"80/tcp -> 127.0.0.1:{port}\n"
    assert ok("port", "web", "80/tcp") == f"127.0.0.1:{port}\n"
    ok("port", "web", "81", code=1)
    assert ok("ps", "--format", "{{.Ports}}") == f"127.0.0.1:{port}->80/tcp\n"
    assert "virtual" in ok("ps", "--size", "--format", "{{.Size}}")

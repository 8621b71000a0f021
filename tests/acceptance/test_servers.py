# SPDX-License-Identifier: MIT
"""Servers from Debian packages, each in a container with its own address."""

from __future__ import annotations

import json
import pathlib
import urllib.request
from collections.abc import Iterator

import pytest

from tests.harness.command import Sandbox
from tests.harness.network.ports import free_port
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(600)]

# Each server has a timeout, in case no test ends it.
WEB = "echo page of $0 > /var/www/html/index.html; exec timeout 600 nginx -g 'daemon off;'"
CACHE = "exec timeout 600 redis-server --bind 0.0.0.0 --protected-mode no"
DATABASE = """
    mkdir -p /run/postgresql /data; chown postgres /run/postgresql /data; cd /
    su postgres -c "/usr/lib/postgresql/15/bin/initdb -A trust -N /data"
    echo 'host all all all trust' >> /data/pg_hba.conf
    exec su postgres -c "timeout 600 /usr/lib/postgresql/15/bin/postgres -D /data -h '*'"
"""
SEED = """FROM servers
RUN mkdir /data && chown postgres /data && cd / && \\
    su postgres -c "/usr/lib/postgresql/15/bin/initdb -A trust -N /data"
"""
TWIN = """
    mkdir -p /run/postgresql; chown postgres /run/postgresql; cd /
    exec su postgres -c "timeout 600 /usr/lib/postgresql/15/bin/postgres -D /data"
"""
ASK = """
    curl -s --retry 20 --retry-delay 1 --retry-connrefused http://web/
    until redis-cli -h cache ping; do sleep 0.1; done
    redis-cli -h cache incr count
    until pg_isready -q -h db; do sleep 0.1; done
    psql -h db -U postgres -Atc 'select 6 * 7, inet_server_addr()'
    getent hosts db
"""


@pytest.fixture
def engine(servers_image: Sandbox, sandbox: Sandbox) -> Iterator[Sandbox]:
    """The command with an own store above the read-only store with the image."""
    sandbox.environ["SANDBOX_ROOT"] = f"{servers_image.store}:{sandbox.store}"
    yield sandbox
    ids = sandbox.ok("ps", "-aq").split()
    if ids:
        sandbox.ok("rm", "-f", *ids)


def page(port: int) -> str:
    """Return the page of a web server on the host, as soon as it answers."""

    def ask() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=100) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    return until(ask)


# The tools that show a container's own addresses and ports.
SELF = """
    hostname -I
    ip -o -4 addr show eth0 | awk '{print $4}'
    ifconfig eth0 | awk '/inet / {print $2}'
    getent hosts web | awk '{print $1}'
    getent hosts $(hostname) | awk '{print $1}'
    ip route show default | awk '{print $3}'
    curl -s -o /dev/null -w '%{local_ip} %{remote_ip} %{remote_port}\\n' http://web/
"""
LISTENERS = {
    "ss": "ss -Hltn | awk '{print $4}'",
    "netstat": "netstat -ltn | awk '/^tcp/ {print $4}'",
}


def test_network_tools_show_the_container_s_own_addresses_and_ports(engine: Sandbox) -> None:
    engine.ok("network", "create", "true")
    flags = ("-d", "--network", "true", "--name")
    listeners = f"timeout 600 redis-server --bind 127.0.0.1 --port 8080 & {WEB}"
    engine.ok("run", *flags, "web", "servers", "sh", "-c", listeners, "web")
    until(lambda: engine.call("exec", "web", "curl", "-s", "http://web/").returncode == 0)
    until(lambda: engine.call("exec", "web", "redis-cli", "-p", "8080", "ping").stdout == b"PONG\n")
    shown = json.loads(engine.ok("inspect", "web"))[0]["NetworkSettings"]["Networks"]["true"]
    own, gateway = shown["IPAddress"], shown["Gateway"]
    prefix = shown["IPPrefixLen"]
    lines = engine.ok("exec", "web", "sh", "-c", SELF).splitlines()
    assert lines == [f"{own} ", f"{own}/{prefix}", own, own, own, gateway, f"{own} {own} 80"]
    for tool, command in LISTENERS.items():
        found = engine.ok("exec", "web", "sh", "-c", command).split()
        six = {"ss": "[::]:80", "netstat": ":::80"}[tool]  # nginx has one socket per family
        assert sorted(found) == sorted(["0.0.0.0:80", "127.0.0.1:8080", six]), tool
    # Another container has no listeners, and other addresses.
    engine.ok("run", *flags, "other", "servers", "sleep", "100")
    for tool, command in LISTENERS.items():
        assert engine.ok("exec", "other", "sh", "-c", command) == "", tool
    asked = engine.ok("exec", "other", "sh", "-c", "hostname -I; getent hosts web")
    assert asked.split()[0] != own
    assert asked.split()[1] == own
    refused = engine.call("exec", "other", "curl", "-s", "http://web:8080/")
    assert refused.returncode == 7  # redis listens only on web's loopback


def test_two_stacks_with_the_same_ports_and_names_run_side_by_side(engine: Sandbox) -> None:
    ports = {stack: free_port() for stack in ("left", "right")}
    for stack, port in ports.items():
        engine.ok("network", "create", stack)
        places = {"web": WEB, "cache": CACHE, "db": DATABASE}
        for name, script in places.items():
            published = ("-p", f"127.0.0.1:{port}:80") if name == "web" else ()
            flags = ("--name", f"{stack}-{name}", "--network", stack, "--network-alias", name)
            engine.ok("run", "-d", *flags, *published, "servers", "sh", "-c", script, stack)
    for stack, port in ports.items():
        assert page(port) == f"page of {stack}\n"
        ask = ("--rm", "--network", stack, "servers", "sh", "-c", ASK)
        output = engine.ok("run", *ask, timeout=200)  # postgres may still create its database
        template = f'{{{{(index .NetworkSettings.Networks "{stack}").IPAddress}}}}'
        address = engine.ok("inspect", "-f", template, f"{stack}-db").strip()
        lines = [line for line in output.splitlines() if "refused" not in line]
        assert lines[:4] == [f"page of {stack}", "PONG", "1", f"42|{address}"]
        assert lines[4].split()[:2] == [address, "db"]
    listing = engine.ok("exec", "left-web", "ss", "-Hltn")
    assert {line.split()[3].rpartition(":")[2] for line in listing.splitlines()} == {"80"}


def test_two_databases_from_the_data_of_one_image_run_side_by_side(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "Dockerfile").write_text(SEED)
    engine.ok("build", "-q", "-t", "data", str(tmp_path))
    names = ("left", "right")
    for name in names:
        engine.ok("run", "-d", "--name", name, "data", "sh", "-c", TWIN)
    for name in names:
        until(lambda name=name: engine.call("exec", name, "pg_isready", "-q").returncode == 0)  # type: ignore[misc]
        query = f"create table t as select '{name}' as c"
        engine.ok("exec", name, "psql", "-U", "postgres", "-qc", query)
    for name in names:
        ask = ("psql", "-U", "postgres", "-Atc", "select c from t")
        assert engine.ok("exec", name, *ask) == f"{name}\n"
        assert engine.ok("exec", name, "sh", "-c", "ipcs -m | grep -c ^0x") == "1\n"

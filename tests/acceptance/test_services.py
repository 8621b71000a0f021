# SPDX-License-Identifier: MIT
"""nginx, redis and postgres from Debian packages: used, restarted, stopped, kept."""

from __future__ import annotations

import pathlib
import socket
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.harness.containers import state
from tests.harness.network.ports import free_port
from tests.harness.polling import until

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(900)]

INSTALL = """
    set -e
    export DEBIAN_FRONTEND=noninteractive
    printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
    for part in doc man locale; do
        echo "path-exclude=/usr/share/$part/*" >> /etc/dpkg/dpkg.cfg.d/small
    done
    echo "path-exclude=*/libLLVM*" >> /etc/dpkg/dpkg.cfg.d/small  # a compiler that is not used here
    echo force-unsafe-io >> /etc/dpkg/dpkg.cfg.d/small
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
    apt-get install -y --no-install-recommends /debs/*.deb
    mkdir -p /data
    chown redis:redis /data
"""
POSTGRES = """
    set -e
    bin=$(echo /usr/lib/postgresql/*/bin)
    if [ ! -e /db/PG_VERSION ]; then
        chown postgres:postgres /db; chmod 700 /db
        su postgres -c "$bin/initdb -D /db -A trust -N" > /dev/null
    fi
    exec setpriv --reuid postgres --regid postgres --init-groups \
        $bin/postgres -D /db -k /tmp -p $1 -h 127.0.0.1
"""


@pytest.fixture(scope="module")
def services(once: Callable[..., Sandbox], debian_image: Sandbox, debian: pathlib.Path) -> Sandbox:
    """A store with the image `services`."""

    def make(sandbox: Sandbox, _folder: pathlib.Path) -> None:
        volume = f"{debian}/services:/debs:ro"
        command = ["sh", "-c", INSTALL]
        sandbox.ok("import", debian / "rootfs.tar", "debian", timeout=200)
        sandbox.ok("run", "--name", "made", "-v", volume, "debian", *command, timeout=600)
        sandbox.ok("commit", "made", "services", timeout=200)
        sandbox.ok("rm", "made")

    return once("services", make)


@pytest.fixture
def ends(services: Sandbox) -> Iterator[list[str]]:
    """The names of containers to remove at the end, since tests share the store."""
    names: list[str] = []
    yield names
    for name in names:
        services.call("rm", "-f", name)


def _answers(sandbox: Sandbox, *command: str) -> Callable[[], bool]:
    return lambda: sandbox.call("exec", *command).returncode == 0


def test_nginx_serves_reloads_restarts_and_stops(
    services: Sandbox, ends: list[str], tmp_path: pathlib.Path
) -> None:
    ends.append("web")
    port = str(free_port())
    site = "server { listen 80; root /www; }"
    setup = f"echo '{site}' > /etc/nginx/sites-enabled/default; exec nginx -g 'daemon off;'"
    services.ok("volume", "create", "www")
    command = ["services", "sh", "-c", setup]
    services.ok("run", "-d", "--name", "web", "-p", f"{port}:80", "-v", "www:/www", *command)
    services.ok("exec", "web", "sh", "-c", "echo one > /www/page")
    url = f"http://127.0.0.1:{port}/page"
    until(lambda: _fetch(url) == b"one\n")
    services.ok("cp", _file(tmp_path, "two\n"), "web:/www/page")
    assert _fetch(url) == b"two\n"
    services.ok("kill", "-s", "HUP", "web")  # reloads the configuration
    services.ok("restart", "web")
    until(lambda: _fetch(url) == b"two\n")
    services.ok("stop", "-t", "50", "-s", "QUIT", "web")
    assert state(services, "web")["ExitCode"] == 0
    services.ok("rm", "web")
    services.ok("run", "-d", "--name", "web", "-p", f"{port}:80", "-v", "www:/www", *command)
    until(lambda: _fetch(url) == b"two\n")
    services.ok("rm", "-f", "web")


def _file(folder: pathlib.Path, text: str) -> pathlib.Path:
    path = folder / "page"
    path.write_text(text)
    path.chmod(0o644)
    return path


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=100) as answer:
            body: bytes = answer.read()
    except OSError:
        return b""
    return body


def test_redis_keeps_its_data_beyond_its_container(services: Sandbox, ends: list[str]) -> None:
    ends.append("cache")
    port = str(free_port())
    serve = ["redis-server", "--port", port, "--dir", "/data", "--appendonly", "yes"]
    serve += ["--protected-mode", "no"]
    flags = ["-d", "--name", "cache", "-u", "redis", "-v", "cache:/data", "-p", f"{port}:{port}"]
    services.ok("run", *flags, "services", *serve)
    client = ["cache", "redis-cli", "-p", port]
    until(_answers(services, *client, "ping"))
    assert services.ok("exec", *client, "set", "key", "value") == "OK\n"
    services.ok("restart", "cache")
    until(_answers(services, *client, "ping"))
    until(lambda: services.ok("exec", *client, "get", "key") == "value\n")
    with socket.create_connection(("127.0.0.1", int(port)), timeout=100) as connection:
        connection.sendall(b"GET key\r\n")
        with connection.makefile("rb") as answer:
            assert answer.read(11) == b"$5\r\nvalue\r\n"
    services.ok("stop", "-t", "50", "cache")
    assert state(services, "cache")["ExitCode"] == 0
    assert "Redis is now ready to exit" in services.ok("logs", "cache")
    services.ok("rm", "cache")
    services.ok("run", *flags, "services", *serve)
    until(_answers(services, *client, "ping"))
    until(lambda: services.ok("exec", *client, "get", "key") == "value\n")
    services.ok("rm", "-f", "cache")


def test_postgres_keeps_its_data_beyond_its_container(services: Sandbox, ends: list[str]) -> None:
    ends.append("db")
    port = "5432"  # inside the container only
    flags = ["-d", "--name", "db", "-v", "db:/db", "--stop-signal", "INT"]
    serve = ["services", "sh", "-c", POSTGRES, "sh", port]
    services.ok("run", *flags, *serve)
    client = ["-u", "postgres", "db", "psql", "-h", "127.0.0.1", "-p", port, "-Atc"]
    until(_answers(services, *client, "select 1"), seconds=100)
    services.ok("exec", *client, "create table t (n int)")
    services.ok("exec", *client, "insert into t select generate_series(1, 1000)")
    services.ok("restart", "db")
    until(_answers(services, *client, "select 1"), seconds=100)
    assert services.ok("exec", *client, "select sum(n) from t") == "500500\n"
    services.ok("stop", "-t", "50", "db")  # it writes to a possibly busy disk
    assert "database system is shut down" in services.call("logs", "db").stderr.decode()
    assert state(services, "db")["ExitCode"] == 0
    services.ok("rm", "db")
    services.ok("run", *flags, *serve)
    until(_answers(services, *client, "select 1"), seconds=100)
    assert services.ok("exec", *client, "select sum(n) from t") == "500500\n"
    services.ok("rm", "-f", "db")

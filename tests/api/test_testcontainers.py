# SPDX-License-Identifier: MIT
"""testcontainers with servers from Debian packages, and its reaper, which uses the socket
from inside a container."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.api.conftest import private_sandbox
from tests.harness import apiserver
from tests.harness.apiserver import Docker, Server
from tests.harness.command import Sandbox
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(600)]

HERE = pathlib.Path(__file__).parent
# Like images of Docker Hub. Each server has a timeout, in case no test ends it.
DATABASE = """#!/bin/sh -e
bin=/usr/lib/postgresql/15/bin
mkdir -p /run/postgresql /data
chown postgres /run/postgresql /data
cd /
su postgres -c "$bin/initdb -N -A trust -U $POSTGRES_USER /data"
echo "CREATE DATABASE $POSTGRES_DB" | su postgres -c "$bin/postgres --single -D /data postgres"
exec su postgres -c "exec timeout 600 $bin/postgres -D /data -h '*'"
"""
IMAGES = {
    "redis:7": 'CMD ["timeout", "250", "redis-server", "--bind", "0.0.0.0", "--protected-mode", '
    '"no"]\n',
    "nginx:1": "RUN echo a page > /var/www/html/index.html\n"
    'CMD ["timeout", "250", "nginx", "-g", "daemon off;"]\n',
    "postgres:15": 'COPY --chmod=755 database /\nENTRYPOINT ["/database"]\n',
}
SERVERS = """
import socket, urllib.request
from testcontainers.community.nginx import NginxContainer
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

def place(box, port):
    return box.get_container_host_ip(), box.get_exposed_port(port)

with NginxContainer("nginx:1") as web:
    host, port = place(web, 80)
    print(urllib.request.urlopen(f"http://{host}:{port}/").read())
ready = LogMessageWaitStrategy("Ready to accept connections")
with DockerContainer("redis:7").with_exposed_ports(6379).waiting_for(ready) as cache:
    with socket.create_connection(place(cache, 6379)) as connection:
        connection.sendall(b"INCR count\\r\\nINCR count\\r\\n")
        print(connection.makefile("rb").read(8))
with PostgresContainer("postgres:15", dbname="shop") as db:
    print(db.get_connection_url(driver=None).startswith("postgresql://test:test@"))
    print(db.exec(["psql", "-U", "test", "-Atc", "select 6 * 7, current_database()", "shop"]))
"""
# This program is killed, so it cannot clean up.
LEAVER = """
import os, signal
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID
from testcontainers.core.network import Network

network = Network().create()
box = DockerContainer("redis:7").with_network(network).with_exposed_ports(6379).start()
DockerClient().client.volumes.create("mine", labels={LABEL_SESSION_ID: SESSION_ID})
names = sorted(one.name for one in DockerClient().client.containers.list())
print(len(names), [name for name in names if name.startswith("testcontainers-ryuk-")] != [])
print([one.name for one in DockerClient().client.volumes.list()], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, servers_image: Sandbox) -> Iterator[Server]:
    """A server with the images of `IMAGES`, above a read-only store."""
    folder = tmp_path_factory.mktemp("api")
    sandbox = private_sandbox(folder)
    sandbox.environ["SANDBOX_ROOT"] = f"{servers_image.store}:{sandbox.store}"
    context = folder / "context"
    context.mkdir()
    (context / "database").write_text(DATABASE)
    with apiserver.serving(sandbox, folder) as server:
        docker = apiserver.docker_on(server, folder)
        for name, lines in IMAGES.items():
            (context / "Dockerfile").write_text(f"FROM servers\n{lines}")
            docker.ok("build", "-q", "-t", name, str(context))
        yield server


def script(docker: Docker, text: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program that uses the server to its end, with any exit code."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text],
        env=docker.environment() | {"TC_POOLING_INTERVAL": "0.1", "TC_MAX_TRIES": "1000"} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=200,
        check=False,
        text=True,
    )


def test_testcontainers_starts_reaches_and_removes_servers(docker: Docker) -> None:
    done = script(docker, SERVERS, TESTCONTAINERS_RYUK_DISABLED="true")
    assert done.stdout.splitlines() == [
        "b'a page\\n'",
        "b':1\\r\\n:2\\r\\n'",
        "True",
        "BytesExecResult(exit_code=0, output=b'42|shop\\n')",
    ], done.stderr
    assert docker.ok("ps", "-aq") == ""
    assert docker.ok("volume", "ls", "-q") == ""


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go on the machine")
def test_a_reaper_in_a_container_removes_containers_of_a_killed_program(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    environ = {"CGO_ENABLED": "0", "GOCACHE": f"{tmp_path}/cache", "GO111MODULE": "off"}
    subprocess.run(
        ["go", "build", "-ldflags=-s -w", "-o", tmp_path / "reaper", HERE / "programs/reaper.go"],
        env={**os.environ, **environ},
        check=True,
        timeout=200,
    )
    (tmp_path / ".dockerignore").write_text("*\n!reaper\n")
    (tmp_path / "Dockerfile").write_text('FROM scratch\nCOPY reaper /\nCMD ["/reaper"]\n')
    docker.ok("build", "-q", "-t", "testcontainers/ryuk:0.8.1", str(tmp_path))
    docker.ok("run", "-d", "--name", "bystander", "redis:7")
    docker.ok("volume", "create", "other")

    done = script(docker, LEAVER, RYUK_RECONNECTION_TIMEOUT="300ms")
    assert (done.returncode, done.stdout) == (-9, "3 True\n['mine', 'other']\n"), done.stderr
    until(lambda: docker.ok("ps", "-a", "--format", "{{.Names}}") == "bystander\n")
    assert docker.ok("volume", "ls", "-q") == "other\n"
    assert docker.ok("network", "ls", "-q", "--filter", "type=custom") == ""

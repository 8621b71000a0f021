# SPDX-License-Identifier: MIT
"""Other projects' clients on the server: compose, aiodocker and testcontainers."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import compose
import pytest

from tests.api.conftest import import_rootfs
from tests.harness.apiserver import Docker, Server
from tests.harness.polling import until

pytestmark = pytest.mark.guest

STACK = """
name: demo
services:
  web:
    image: host
    command: ["python3", "-u", "-m", "http.server", "8000", "--directory", "/srv/www"]
    working_dir: /tmp
    stop_signal: SIGKILL
    environment: {COLOUR: blue}
    ports: ["127.0.0.1::8000"]
    volumes: ["./www:/srv/www:ro", "data:/data"]
    networks: [front, back]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: host
    command: ["sh", "-c", "echo ready > /tmp/ready; echo database is up; exec sleep 1000"]
    stop_signal: SIGKILL
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 100ms, retries: 600}
    networks: [back]
  worker:
    image: host
    command: ["sh", "-c", "echo working; exec sleep 1000"]
    stop_signal: SIGKILL
    depends_on: [web]
    networks: [back]
volumes: {data: {}}
networks: {front: {}, back: {}}
"""
FETCH = "import urllib.request as r; print(r.urlopen('http://web:8000/').read().decode(), end='')"


@dataclass(frozen=True)
class Compose:
    """The real docker compose, in a folder with a stack."""

    docker: Docker
    folder: pathlib.Path

    def call(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        program = pathlib.Path(compose.__file__).with_name("docker-compose")
        return subprocess.run(
            [program, "--ansi", "never", "--progress", "plain", *arguments],
            cwd=self.folder,
            env=self.docker.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=90,
            check=False,
        )

    def ok(self, *arguments: str) -> str:
        done = self.call(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.decode()

    def services(self) -> list[str]:
        return sorted(self.ok("ps", "-a", "--format", "{{.Name}} {{.State}}").splitlines())


@pytest.fixture
def stack(docker: Docker, tmp_path: pathlib.Path) -> Compose:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("hello from web\n")
    (tmp_path / "compose.yaml").write_text(STACK)
    return Compose(docker, tmp_path)


def test_compose_runs_a_stack_of_three_services(stack: Compose) -> None:
    ok = stack.ok
    ok("up", "-d")
    up = ["demo-db-1 running", "demo-web-1 running", "demo-worker-1 running"]
    assert stack.services() == up
    [age] = {line.split("  ")[-1].strip() for line in ok("images").splitlines()[1:]}
    assert "second" in age
    [web] = map(json.loads, ok("ps", "--format", "json", "web").splitlines())
    [published] = web["Publishers"]
    assert (published["URL"], published["TargetPort"]) == ("127.0.0.1", 8000)
    assert ok("port", "web", "8000") == f"127.0.0.1:{published['PublishedPort']}\n"
    until(lambda: "Serving HTTP" in ok("logs", "--no-log-prefix", "web"))
    until(lambda: ok("logs", "--no-log-prefix", "db") == "database is up\n")
    until(lambda: "worker-1  | working" in ok("logs"))

    done = stack.call("exec", "-T", "web", "sh", "-c", "echo $COLOUR; exit 3")
    assert (done.returncode, done.stdout) == (3, b"blue\n")
    assert ok("exec", "-T", "worker", "python3", "-c", FETCH) == "hello from web\n"
    assert ok("run", "--rm", "-T", "--no-deps", "worker", "echo", "once") == "once\n"

    ok("scale", "worker=3")
    assert stack.services() == [*up, "demo-worker-2 running", "demo-worker-3 running"]
    ok("scale", "worker=1")
    assert stack.services() == up
    assert "Recreate" not in stack.call("up", "-d").stderr.decode()
    ok("kill", "worker")
    until(lambda: stack.services() == [*up[:2], "demo-worker-1 exited"])
    ok("start", "worker")
    ok("stop", "-t", "0", "db")
    assert stack.services() == ["demo-db-1 exited", *up[1:]]

    ok("down", "-v", "-t", "0")
    assert stack.services() == []
    assert stack.docker.ok("ps", "-aq") == ""
    assert stack.docker.ok("volume", "ls", "-q") == ""
    assert stack.docker.ok("network", "ls", "-q", "--filter", "type=custom") == ""


def test_compose_spreads_a_scaled_service(stack: Compose) -> None:
    text = (stack.folder / "compose.yaml").read_text()
    (stack.folder / "compose.yaml").write_text(text.replace('    ports: ["127.0.0.1::8000"]\n', ""))
    stack.ok("up", "-d", "--wait", "--scale", "web=3")
    script = (
        "import socket; [print(*(row[4][0] for row in socket.getaddrinfo('web', 80, type=1)))"
        " for _ in range(2)]"
    )
    rows = stack.ok("exec", "-T", "worker", "/usr/bin/python3", "-c", script).splitlines()
    assert [len(set(row.split())) for row in rows] == [3, 3]
    asked = ("exec", "-T", "worker", "dig", "+short")
    firsts = [stack.ok(*asked, "web").split()[0] for _ in range(6)]
    assert firsts[:3] == firsts[3:]
    assert set(firsts) == set(rows[0].split())
    one = stack.ok(*asked, "-x", firsts[0]).strip()
    assert one.startswith("demo-web-")
    assert one.endswith(".demo_back.")
    stack.ok("up", "-d", "--wait", "--scale", "web=1")
    assert len(stack.ok(*asked, "web").split()) == 1
    stack.ok("down", "-v", "-t", "0")


def run_script(docker: Docker, script: str, **environ: str) -> str:
    """Run a Python program that uses the server; return its output."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=docker.environment() | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, (done.stdout.decode(), done.stderr.decode())
    return done.stdout.decode()


TESTCONTAINERS = """
import time
import urllib.request
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

with Network() as network:
    made = DockerContainer("host").with_command("python3 -u -m http.server 8000")
    made.with_exposed_ports(8000).with_env("COLOUR", "blue").with_network(network)
    made.with_network_aliases("site").waiting_for(LogMessageWaitStrategy("Serving HTTP"))
    with made as box:
        address = f"{box.get_container_host_ip()}:{box.get_exposed_port(8000)}"
        print(urllib.request.urlopen(f"http://{address}/").status)
        code, output = box.exec(["sh", "-c", "echo $COLOUR; exit 4"])
        print(code, output)
        while b"GET / HTTP" not in (said := box.get_logs()[1]):
            time.sleep(0.05)  # it is on its way from the program to the log
        print(said.count(b"GET / HTTP"))
"""


def test_testcontainers_waits_for_a_server_and_reaches_it(docker: Docker) -> None:
    switches = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TC_POOLING_INTERVAL": "0.05"}
    assert run_script(docker, TESTCONTAINERS, **switches).splitlines() == [
        "200",
        "4 b'blue\\n'",
        "1",
    ]
    assert docker.ok("ps", "-aq") == ""
    assert docker.ok("network", "ls", "-q", "--filter", "type=custom") == ""


AIODOCKER = r"""
import asyncio, io, tarfile
import aiodocker

def show(*words):
    print(*words, flush=True)

async def output(stream):
    found = {1: b"", 2: b""}
    while (message := await stream.read_out()) is not None:
        found[message.stream] += message.data
    return found[1], found[2]

async def containers(docker):
    script = "read x; echo got $x; echo err >&2; exit 5"
    wish = {"Image": "box", "Cmd": ["sh", "-c", script], "OpenStdin": True, "StdinOnce": True,
            "AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
    box = await docker.containers.create_or_replace("one", wish)
    async with box.attach(stdin=True, stdout=True, stderr=True) as stream:
        await box.start()
        await stream.write_in(b"hello\n")
        show(await output(stream))
    show(await box.wait(), sorted(await box.log(stdout=True, stderr=True)))
    await box.delete()
    box = await docker.containers.run({"Image": "box", "Cmd": ["sleep", "1000"]}, name="two")
    run = await box.exec(["sh", "-c", "echo hi; echo no >&2; exit 3"])
    async with run.start() as stream:
        show(await output(stream))
    show((await run.inspect())["ExitCode"], (await box.stats(stream=False))[0]["name"])
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo("f")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"ab"))
    await box.put_archive("/tmp", file.getvalue())
    show((await box.get_archive("/tmp/f")).getnames())
    await box.pause()
    await box.unpause()
    await box.rename("three")
    await box.kill()
    show(await box.wait())
    await box.commit(repository="made", tag="1")
    await box.delete()
    try:
        await docker.containers.get("nope")
    except aiodocker.DockerError as error:
        show(error.status, error.message)

async def images(docker):
    async with docker.images.export_image("made:1") as stream:
        data = await stream.read()
    await docker.images.delete("made:1")
    async for line in docker.images.import_image(io.BytesIO(data), stream=True):
        show(line)
    await docker.images.tag("made:1", "other", tag="2")
    show(sorted((await docker.images.inspect("made:1"))["RepoTags"]))
    for name in ("other:2", "made:1"):
        await docker.images.delete(name)

async def main():
    async with aiodocker.Docker() as docker:
        show((await docker.version())["ApiVersion"])
        await containers(docker)
        await images(docker)

asyncio.run(main())
"""


def test_aiodocker_works_with_containers_and_images(
    api: Server, docker: Docker, rootfs: pathlib.Path
) -> None:
    import_rootfs(api, rootfs)
    assert run_script(docker, AIODOCKER).splitlines() == [
        "1.44",
        r"(b'got hello\n', b'err\n')",
        r"{'StatusCode': 5} ['err\n', 'got hello\n']",
        r"(b'hi\n', b'no\n')",
        "3 /two",
        "['f']",
        "{'StatusCode': 137}",
        "404 No such container: nope",
        r"{'stream': 'Loaded image: made:1\n'}",
        "['made:1', 'other:2']",
    ]

# SPDX-License-Identifier: MIT
"""Sequences of docker commands as editors and CI runners issue them."""

from __future__ import annotations

import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.api.conftest import private_sandbox
from tests.harness.apiserver import Docker, Server, docker_on
from tests.harness.polling import until

pytestmark = pytest.mark.guest

IDLE = "trap 'exit 15' 15; echo Container started; while sleep 1 & wait $!; do :; done"
PEER = struct.Struct("3i")


@pytest.fixture
def docker(stocked: Server, api: Server, tmp_path: pathlib.Path) -> Docker:
    return docker_on(api, tmp_path)


@contextmanager
def running(docker: Docker, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in the background."""
    process = subprocess.Popen(
        [docker.program, *arguments],
        env=docker.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_the_commands_of_an_editor_open_a_folder_in_a_container(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    ok = docker.ok
    (tmp_path / "main.py").write_text("print()\n")
    label = f"devcontainer.local_folder={tmp_path}"
    mount = f"type=bind,source={tmp_path},target=/workspace,consistency=cached"
    assert ok("ps", "-q", "-a", "--filter", f"label={label}") == ""
    [image] = json.loads(ok("inspect", "--type", "image", "box"))
    assert image["Config"]["User"] == ""
    ok("inspect", "--type", "image", "nothing", code=1)
    watched = ("--filter", "event=start", "--filter", f"label={label}", "--format", "{{json .}}")
    flags = ("--sig-proxy=false", "-a", "STDOUT", "-a", "STDERR", "--mount", mount, "-l", label)
    command = ("--entrypoint", "/bin/sh", "box", "-c", IDLE, "-")
    with (
        running(docker, "events", "--since", "1", *watched) as events,
        running(docker, "run", *flags, *command) as run,
    ):
        assert line_of(run) == "Container started\n"
        identity = json.loads(line_of(events))["id"]
        [shown] = json.loads(ok("inspect", "--type", "container", identity))
        assert shown["Config"]["Labels"] == {"devcontainer.local_folder": str(tmp_path)}
        assert [one["Destination"] for one in shown["Mounts"]] == ["/workspace"]
        script = b"cat /workspace/main.py; id -u; echo made > new; exit 7\n"
        shell = ("exec", "-i", "-u", "root", "-w", "/workspace", "-e", "A=b", identity, "/bin/sh")
        done = docker.call(*shell, stdin=script)
        assert (done.returncode, done.stdout) == (7, b"print()\n0\n")
        assert (tmp_path / "new").read_text() == "made\n"
        run.kill()  # the editor ends, the container does not
        run.wait(timeout=100)
        assert ok("ps", "-q", "--no-trunc", "--filter", f"label={label}") == f"{identity}\n"
    assert ok("stop", identity) == f"{identity}\n"
    assert ok("inspect", "-f", "{{.State.ExitCode}}", identity) == "15\n"


def test_the_commands_of_a_ci_runner_run_the_steps_of_a_job(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    ok = docker.ok
    work = tmp_path / "work"
    work.mkdir()
    (work / "step.sh").write_text('echo "step in $PWD for $JOB"; echo done > result\n')
    assert ok("version", "--format", "{{.Server.APIVersion}}") == "1.44\n"
    ok("network", "create", "--label", "job=1", "job")
    volumes = ("-v", f"{docker.server.socket}:/var/run/docker.sock", "-v", f"{work}:/__w")
    more = ("--network", "job", "--network-alias", "job", "--workdir", "/__w", "-e", "JOB=one")
    command = ("--entrypoint", "sleep", "box", "1000")
    identity = ok(
        "create", "--name", "job-1", "--label", "job=1", *more, *volumes, *command
    ).strip()
    ok(
        "run",
        "-d",
        "--name",
        "service",
        "--label",
        "job=1",
        "--network",
        "job",
        "box",
        "sleep",
        "1000",
    )
    ok("start", identity)
    listed = ok("ps", "--all", "--filter", f"id={identity}", "--format", "{{.ID}} {{.Status}}")
    assert listed.startswith(f"{identity[:12]} Up ")
    assert ok("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", identity) == (
        "JOB=one\n\n"
    )
    done = docker.call("exec", "-i", identity, "sh", "-e", "/__w/step.sh", stdin=b"")
    assert (done.returncode, done.stdout) == (0, b"step in /__w for one\n")
    assert (work / "result").read_text() == "done\n"
    assert ok("exec", identity, "test", "-S", "/var/run/docker.sock") == ""
    assert "Name:\tservice\n" in ok("exec", identity, "nslookup", "service")
    for name in ok("ps", "-aq", "--filter", "label=job=1").split():
        ok("rm", "--force", name)
    assert ok("network", "prune", "--force", "--filter", "label=job=1").split()[-1] == "job"


def test_signals_to_docker_run_reach_the_container(docker: Docker) -> None:
    with running(docker, "run", "--name", "trapping", "box", "sh", "-c", IDLE) as run:
        assert line_of(run) == "Container started\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=100) == 15
    assert docker.ok("inspect", "-f", "{{.State.Running}}", "trapping") == "false\n"


def test_containers_can_be_selected_by_name_everywhere(docker: Docker) -> None:
    ok = docker.ok
    ok("volume", "create", "data")
    ok("network", "create", "back")
    try:
        for name, field in (("data", "Mountpoint"), ("back", "Subnet"), ("box", "RepoTags")):
            assert field in ok("inspect", name)
        done = docker.call("inspect", "nothing")
        assert done.returncode == 1
        assert b"No such object: nothing" in done.stderr
        ok("run", "-d", "--name", "one", "box", "sleep", "1000")
        with running(docker, "stats", "--format", "{{.Name}} {{.CPUPerc}}") as stats:
            until(lambda: "one 0." in line_of(stats))
    finally:
        ok("network", "rm", "back")
        ok("volume", "rm", "data")


@pytest.fixture
def short_path() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir="/tmp") as path:
        yield path


def test_sandbox_docker_starts_a_server_for_the_docker_command(
    short_path: str, tmp_path: pathlib.Path
) -> None:
    # docker refuses a socket whose path is too long for the kernel.
    folder = pathlib.Path(short_path)
    sandbox = private_sandbox(folder)
    docker_on(Server(sandbox, "", tmp_path / "log"), tmp_path)  # skips if docker is missing
    place = pathlib.Path(sandbox.environ["XDG_RUNTIME_DIR"]) / "sandbox" / "docker.sock"
    assert not place.exists()
    said = sandbox.ok("docker", "version", "--format", "{{.Server.Version}} {{.Server.Os}}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(place))
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    server, _, _ = PEER.unpack(data)
    ended = os.pidfd_open(server)
    try:
        assert said == f"{sandbox.ok('version', '--format', '{{.Version}}').strip()} linux\n"
        assert sandbox.ok("docker", "run", "--rm", "host", "echo", "hello") == "hello\n"
        done = sandbox.call("docker", "run", "--rm", "host", "sh", "-c", "exit 6")
        assert done.returncode == 6
        assert sandbox.call("docker", "nonsense").returncode == 1
    finally:
        os.kill(server, signal.SIGTERM)
        until(lambda: select.select([ended], [], [], 0)[0])
        os.close(ended)
        assert not place.exists()

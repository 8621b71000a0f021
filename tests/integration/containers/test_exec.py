# SPDX-License-Identifier: MIT
"""`exec` runs further commands in a running container."""

from __future__ import annotations

import hashlib
import os
import pathlib
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pexpect
import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import is_gone, record, server
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_a_command_has_the_containers_files_environment_and_user(engine: Sandbox) -> None:
    server(engine, "srv", "-e", "A=1", "-w", "/srv", "-h", "box")
    engine.ok("exec", "srv", "sh", "-c", "echo news > /etc/sbx")
    assert engine.ok("exec", "srv", "cat", "/etc/sbx") == "news\n"
    script = "pwd; echo $A$B; id -u; uname -n"
    assert engine.ok("exec", "-e", "B=2", "srv", "sh", "-c", script).split() == [
        "/srv",
        "12",
        "0",
        "box",
    ]
    assert engine.ok("exec", "-u", "www-data", "-w", "/tmp", "srv", "sh", "-c", script).split() == [
        "/tmp",
        "1",
        "33",
        "box",
    ]


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["sh", "-c", "exit 9"], 9, ""),
        (["sh", "-c", "kill -9 $$"], 137, ""),
        (["nope"], 127, "executable file not found"),
        (["/etc/passwd"], 126, "permission denied"),
    ],
)
def test_exec_returns_the_commands_exit_code(
    engine: Sandbox, command: list[str], code: int, message: str
) -> None:
    server(engine)
    done = engine.call("exec", "srv", *command)
    assert done.returncode == code
    assert message in done.stderr.decode()


def test_exec_needs_a_running_container(engine: Sandbox) -> None:
    assert engine.call("exec", "nope", "true").returncode == 1
    engine.ok("create", "--name", "idle", "host", "true")
    done = engine.call("exec", "idle", "true")
    assert done.returncode == 1
    assert b"is not running" in done.stderr
    server(engine)
    engine.ok("pause", "srv")
    done = engine.call("exec", "srv", "true")
    assert b"is paused" in done.stderr


def test_a_detached_command_ends_with_the_container(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    server(engine, "srv", "-v", f"{tmp_path}:/out")
    engine.ok("exec", "-d", "srv", "sh", "-c", "echo $$ > /out/pid; exec sleep 1000")
    pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    assert str(pid) in engine.ok("top", "srv")
    engine.ok("stop", "srv")
    assert is_gone(pid)


def test_the_end_of_a_detached_command_is_an_event(engine: Sandbox) -> None:
    server(engine)

    def deaths() -> list[str]:
        span = ("--since", "1h", "--until", "0s", "--filter", "event=exec_die")
        return engine.ok("events", *span, "--format", "{{.Actor.Attributes.exitCode}}").split()

    engine.ok("exec", "-d", "srv", "sh", "-c", "exit 5")
    until(lambda: deaths() == ["5"])
    engine.ok("exec", "-d", "srv", "sleep", "1000")
    engine.ok("rm", "-f", "srv")
    until(lambda: deaths() == ["5", "137"])


def test_input_and_output_pass_unchanged(engine: Sandbox) -> None:
    server(engine)
    data = os.urandom(5_000_000)
    output = engine.ok("exec", "-i", "srv", "sha256sum", stdin=data)
    assert output.split()[0] == hashlib.sha256(data).hexdigest()
    done = engine.call("exec", "-i", "srv", "cat", stdin=data)
    assert done.stdout == data


def test_a_hundred_commands_start_at_once(engine: Sandbox) -> None:
    """One process starts a hundred commands at once, more than may enter at once."""
    server(engine)
    code = """
import sys, os
from sandbox.engine import Engine
from sandbox.runtime.exec.exec_process import ExecRequest
children = []
for number in range(100):
    child = os.fork()
    if child == 0:
        request = ExecRequest(args=("sh", "-c", f"echo {number}"))
        os._exit(Engine().containers.exec("srv", request))
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=engine.environment(),
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(map(int, done.stdout.split())) == list(range(100))


def _terminal(engine: Sandbox, *arguments: str) -> pexpect.spawn:
    program, *rest = engine.argv("exec", *arguments)
    child = pexpect.spawn(
        program,
        rest,
        env={**engine.environment(), "TERM": "xterm", "PS1": "x"},  # type: ignore[arg-type]
        dimensions=(33, 101),
        timeout=100,
    )
    child.delaybeforesend = None
    return child


def _end(child: pexpect.spawn) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    code: int | None = child.exitstatus
    return code


def test_a_command_runs_on_a_terminal_that_can_be_resized(engine: Sandbox) -> None:
    server(engine)
    child = _terminal(engine, "-it", "srv", "sh")
    child.sendline("tty; stty size; echo $TERM")
    child.expect("/dev/pts/[0-9]+")
    child.expect("33 101")
    child.expect("xterm")
    child.setwinsize(20, 70)
    until(lambda: child.sendline("stty size") and child.expect(["20 70", "33 101"]) == 0)
    child.sendline("exit 5")
    assert _end(child) == 5


# When it is told to, it prints more than a terminal's buffer holds, and then writes its pid.
PRINTER = "echo re''ady; read x < go; seq 1 20000; echo $$ > done; exec sleep 1000"


def _let_it_print(engine: Sandbox, folder: pathlib.Path) -> int:
    """Tell the printing command to go on; return its pid after it has printed everything."""
    (folder / "go").write_text("go\n")
    pid = int(until(lambda: (folder / "done").exists() and (folder / "done").read_text()))
    assert str(pid) in engine.ok("top", "srv")
    return pid


@pytest.mark.parametrize("keys", ["usual", "flag", "configuration"])
def test_detach_keys_leave_the_command_running(
    engine: Sandbox, tmp_path: pathlib.Path, keys: str
) -> None:
    typed, flags = {
        "usual": ("\x10\x11", []),
        "flag": ("\x01q", ["--detach-keys", "ctrl-a,q"]),
        "configuration": ("\x02x", []),
    }[keys]
    if keys == "configuration":
        (tmp_path / "config.json").write_text('{"detachKeys": "ctrl-b,x"}')
        engine.environ["DOCKER_CONFIG"] = str(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    server(engine, "srv", "-v", f"{out}:/out")
    os.mkfifo(out / "go")
    child = _terminal(engine, "-it", *flags, "-w", "/out", "srv", "sh", "-c", PRINTER)
    child.expect("ready")
    child.send(typed)
    child.expect("read escape sequence")
    assert _end(child) == 1
    assert "exec_detach" in engine.ok("events", "--since", "1h", "--until", "0s")
    os.kill(_let_it_print(engine, out), signal.SIGKILL)
    until(lambda: "exitCode=137" in engine.ok("events", "--since", "1h", "--until", "0s"))
    engine.ok("rm", "-f", "srv")


def test_a_command_on_a_terminal_survives_a_killed_exec(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    server(engine, "srv", "-v", f"{tmp_path}:/out")
    os.mkfifo(tmp_path / "go")
    child = _terminal(engine, "-it", "-w", "/out", "srv", "sh", "-c", PRINTER)
    child.expect("ready")
    child.kill(signal.SIGKILL)
    child.wait()
    child.close()
    pid = _let_it_print(engine, tmp_path)
    engine.ok("stop", "srv")
    assert is_gone(pid)


def test_a_command_on_a_pipe_survives_a_killed_exec(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    server(engine, "srv", "-v", f"{tmp_path}:/out")
    os.mkfifo(tmp_path / "go")
    words = engine.argv("exec", "-w", "/out", "srv", "sh", "-c", PRINTER)
    command = subprocess.Popen(words, env=engine.environment(), stdout=subprocess.PIPE)
    with command, ThreadPoolExecutor() as pool:
        assert command.stdout is not None
        assert command.stdout.readline() == b"ready\n"
        command.kill()
        command.wait()
        rest = pool.submit(command.stdout.read)
        pid = _let_it_print(engine, tmp_path)
        engine.ok("stop", "srv")
        assert rest.result().endswith(b"\n20000\n")
    assert is_gone(pid)


def test_signals_to_exec_reach_the_command(engine: Sandbox) -> None:
    server(engine)
    script = "trap 'echo got; exit 6' TERM; echo re''ady; while :; do sleep 0.05; done"
    for flags in ("-i", "-it"):
        child = _terminal(engine, flags, "srv", "sh", "-c", script)
        child.expect("ready")
        child.kill(signal.SIGTERM)
        child.expect("got")
        assert _end(child) == 6


def test_a_detached_command_may_have_a_terminal(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    server(engine, "srv", "-v", f"{tmp_path}:/out")
    engine.ok("exec", "-dt", "srv", "sh", "-c", "tty > /out/tty; seq 1 20000; echo > /out/done")
    until((tmp_path / "done").exists)
    assert (tmp_path / "tty").read_text().startswith("/dev/pts/")


def test_the_end_of_the_container_ends_the_command(engine: Sandbox) -> None:
    server(engine)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(engine.call, "exec", "srv", "sh", "-c", "kill -STOP $$; sleep 1000")
        until(lambda: len(engine.ok("top", "srv").splitlines()) > 2)
        os.kill(record(engine)["pid"], signal.SIGKILL)
        assert waiting.result().returncode == 137


def test_stats_counts_processes_of_exec(engine: Sandbox) -> None:
    server(engine)
    engine.ok("exec", "-d", "srv", "sh", "-c", "while :; do :; done")
    template = "{{.Name}} {{.CPUPerc}} {{.PIDs}}"
    name, share, count = engine.ok("stats", "--no-stream", "--format", template, "srv").split()
    assert (name, count) == ("srv", "2")
    assert float(share.rstrip("%")) > 1

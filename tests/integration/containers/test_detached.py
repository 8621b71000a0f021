# SPDX-License-Identifier: MIT
"""Detached containers: start, logs, signals and end."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess

import pytest

from sandbox.runtime.supervisor import protocol
from tests.harness.command import Sandbox
from tests.harness.containers import SERVER, is_gone, record, server, state
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_a_detached_container_runs_on_and_its_output_is_logged(engine: Sandbox) -> None:
    identity = engine.ok(
        "run", "-d", "--name", "talk", "host", "sh", "-c", "echo out; echo err >&2; exit 3"
    ).strip()
    assert len(identity) == 64
    assert engine.ok("wait", "talk") == "3\n"
    done = engine.call("logs", "talk")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    path = engine.store / "containers" / identity / f"{identity}-json.log"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {(line["log"], line["stream"]) for line in lines} == {
        ("out\n", "stdout"),
        ("err\n", "stderr"),
    }
    assert state(engine, "talk")["ExitCode"] == 3


def test_a_failed_start_reports_the_reason(engine: Sandbox) -> None:
    done = engine.call("run", "-d", "--name", "bad", "host", "no-such-command")
    assert done.returncode == 127
    assert b"executable file not found" in done.stderr
    assert state(engine, "bad")["Status"] == "created"


def test_stop_sends_the_stop_signal_and_kills_after_the_timeout(engine: Sandbox) -> None:
    server(engine)
    assert engine.ok("stop", "srv") == "srv\n"
    assert state(engine)["ExitCode"] == 7
    assert engine.ok("logs", "srv") == "up\nbye\n"
    server(engine, "deaf", script="trap '' TERM; echo up; while :; do read x; done")
    engine.ok("stop", "-t", "0", "deaf")
    assert state(engine, "deaf")["ExitCode"] == 137


def test_kill_sends_any_signal(engine: Sandbox) -> None:
    server(engine)
    engine.ok("kill", "-s", "HUP", "srv")
    until(lambda: "hup\n" in engine.ok("logs", "srv"))
    engine.ok("kill", "srv")
    assert state(engine)["ExitCode"] == 137
    done = engine.call("kill", "srv")
    assert done.returncode == 1
    assert b"is not running" in done.stderr


def test_stop_also_ends_daemons(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    script = "(setsid sh -c 'echo $$ > /out/pid; exec sleep 1000' &) ; " + SERVER
    server(engine, "srv", "-v", f"{tmp_path}:/out", script=script)
    pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    assert not is_gone(pid)
    engine.ok("stop", "srv")
    assert is_gone(pid)


def test_the_death_of_a_supervisor_is_noticed(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    script = "(setsid sh -c 'echo $$ > /out/pid; exec sleep 1000' &) ; " + SERVER
    server(engine, "srv", "-v", f"{tmp_path}:/out", script=script)
    daemon = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    stored = record(engine)
    os.kill(stored["keeper"], signal.SIGKILL)
    until(lambda: is_gone(stored["keeper"]))
    assert engine.ok("ps", "-q") == ""
    found = state(engine)
    assert (found["Status"], found["ExitCode"]) == ("exited", 137)
    assert is_gone(daemon)
    assert is_gone(stored["pid"])
    engine.ok("start", "srv")
    assert state(engine)["Running"]


def test_rm_force_leaves_nothing_when_the_supervisor_hangs(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    server(engine)
    stored = record(engine)
    os.kill(stored["keeper"], signal.SIGSTOP)  # it no longer answers
    engine.ok("rm", "-f", "srv")
    until(lambda: is_gone(stored["keeper"]))  # it was killed; init reaps it later
    assert is_gone(stored["pid"])
    left = os.listdir(tmp_path / "run" / "sandbox")
    assert [
        name for name in left if name != "interceptor"
    ] == []  # the cached facts about the host remain
    assert list((engine.store / "containers").iterdir()) == []


def test_the_supervisor_is_small_and_private(engine: Sandbox) -> None:
    server(engine)
    stored = record(engine)
    status = pathlib.Path(f"/proc/{stored['keeper']}/status").read_text()
    resident = int(next(line for line in status.splitlines() if "VmRSS" in line).split()[1])
    assert resident < 25 * 1024
    path = pathlib.Path(stored["runDir"] + ".sock")
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.getsid(stored["keeper"]) == stored["keeper"]


def test_invalid_requests_on_the_socket_are_refused(engine: Sandbox) -> None:
    server(engine)
    path = record(engine)["runDir"] + ".sock"
    for request in (b"\0\xff\n", b"{}\n", b'{"verb":"resize"}\n', b"[1]\n", b"x" * 70000):
        with protocol.connect(path) as client:
            client.settimeout(100)
            client.sendall(request)
            assert b"error" in client.recv(4096)
    assert engine.ok("ps", "-q") != ""
    assert engine.call("stop", "srv").returncode == 0


def test_a_container_with_rm_is_removed_when_it_ends(engine: Sandbox) -> None:
    server(engine, "srv", "--rm")
    engine.ok("stop", "srv")
    until(lambda: engine.ok("ps", "-aq") == "")


def test_the_path_of_the_runtime_directory_may_be_long(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    deep.chmod(0o700)
    engine.environ["XDG_RUNTIME_DIR"] = str(deep)
    server(engine)
    engine.ok("stop", "srv")
    assert state(engine)["ExitCode"] == 7


def test_a_name_cannot_be_used_twice(engine: Sandbox) -> None:
    server(engine)
    done = engine.call("run", "-d", "--name", "srv", "host", "true")
    assert done.returncode == 125
    assert b"is already in use" in done.stderr
    assert engine.ok("start", "srv") == "srv\n"  # it already runs


def test_logs_follow_prints_until_the_container_ends(engine: Sandbox) -> None:
    server(engine)
    follower = subprocess.Popen(
        engine.argv("logs", "-f", "srv"),
        env=engine.environment(),
        stdout=subprocess.PIPE,
    )
    assert follower.stdout is not None
    with follower:
        engine.ok("kill", "-s", "HUP", "srv")
        until(lambda: "hup" in engine.ok("logs", "srv"))
        engine.ok("stop", "srv")
        output = follower.communicate(timeout=100)[0]
    assert output == b"up\nhup\nbye\n"


def test_logs_are_selected_by_tail_since_and_until(engine: Sandbox) -> None:
    engine.ok("run", "-d", "--name", "num", "host", "sh", "-c", "seq 5; printf half")
    engine.ok("wait", "num")
    assert engine.ok("logs", "--tail", "2", "num") == "5\nhalf"
    stamped = engine.ok("logs", "-t", "num").splitlines()
    moment = stamped[2].split()[0]
    assert moment.endswith("Z")
    assert len(moment) == 30
    assert engine.ok("logs", "--since", "1h", "num") == "1\n2\n3\n4\n5\nhalf"
    assert engine.ok("logs", "--until", "1h", "num") == ""


def test_logs_rotate(engine: Sandbox) -> None:
    flags = ["--log-opt", "max-size=1k", "--log-opt", "max-file=3"]
    engine.ok("run", "-d", "--name", "num", *flags, "host", "seq", "100")
    engine.ok("wait", "num")
    shown = engine.ok("logs", "num").splitlines()
    assert shown[-1] == "100"
    assert 5 < len(shown) < 100
    assert shown == [str(number) for number in range(101 - len(shown), 101)]
    engine.ok("run", "-d", "--name", "mute", "--log-driver", "none", "host", "seq", "9")
    done = engine.call("logs", "mute")
    assert b"does not support reading" in done.stderr

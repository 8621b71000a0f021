# SPDX-License-Identifier: MIT
"""The life of a container after its creation: start, restart, pause, rename, update, wait."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import is_stopped, record, server, state
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_start_and_restart(engine: Sandbox) -> None:
    server(engine)
    first = record(engine)["pid"]
    assert engine.ok("restart", "srv") == "srv\n"
    assert record(engine)["pid"] != first
    until(lambda: engine.ok("logs", "srv").count("up\n") == 2)
    assert engine.ok("inspect", "-f", "{{.RestartCount}}", "srv") == "0\n"
    engine.ok("stop", "srv")
    assert engine.ok("restart", "srv") == "srv\n"
    until(lambda: engine.ok("logs", "srv").count("up\n") == 3)


def test_pause_and_unpause(engine: Sandbox) -> None:
    server(engine)
    engine.ok("pause", "srv")
    assert state(engine)["Status"] == "paused"
    assert "(Paused)" in engine.ok("ps", "--format", "{{.Status}}")
    until(lambda: is_stopped(record(engine)["pid"]))
    assert b"already paused" in engine.call("pause", "srv").stderr
    started = engine.call("start", "srv")
    assert started.returncode == 1
    assert b"cannot start a paused container" in started.stderr
    engine.ok("unpause", "srv")
    engine.ok("kill", "-s", "HUP", "srv")
    until(lambda: "hup\n" in engine.ok("logs", "srv"))
    assert b"not paused" in engine.call("unpause", "srv").stderr
    engine.ok("pause", "srv")
    engine.ok("stop", "srv")
    assert state(engine)["ExitCode"] == 7


def test_on_failure_restarts_a_failing_container_a_limited_number_of_times(engine: Sandbox) -> None:
    flags = ["--restart", "on-failure:2"]
    engine.ok("run", "-d", "--name", "bad", *flags, "host", "sh", "-c", "echo try; exit 3")
    assert engine.ok("wait", "bad") == "3\n"
    assert engine.ok("logs", "bad") == "try\n" * 3
    assert engine.ok("inspect", "-f", "{{.RestartCount}}", "bad") == "2\n"


def test_restart_always_ends_with_stop(engine: Sandbox) -> None:
    server(engine, "srv", "--restart", "always")
    first = record(engine)["pid"]
    os.kill(first, signal.SIGKILL)
    until(lambda: record(engine)["pid"] not in (first, record(engine)["keeper"], 0))
    until(lambda: engine.ok("logs", "srv").count("up\n") == 2)
    engine.ok("stop", "srv")
    assert state(engine)["Status"] == "exited"
    engine.ok("run", "-d", "--name", "loop", "--restart", "always", "host", "false")
    until(lambda: state(engine, "loop")["Status"] == "restarting")
    engine.ok("stop", "loop")
    assert state(engine, "loop")["Status"] == "exited"


def test_restart_during_the_pause_before_a_retry_starts_only_one_run(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    script = "test -e /w/go || exit 1; until test -e /w/end; do sleep 0.05; done"
    flags = ("--restart", "on-failure", "-v", f"{tmp_path}:/w")
    engine.ok("run", "-d", "--name", "loop", *flags, "host", "sh", "-c", script)
    template = "{{.State.Status}} {{.RestartCount}}"

    def waits_long() -> bool:
        status, count = engine.ok("inspect", "-f", template, "loop").split()
        return status == "restarting" and int(count) >= 5  # more than a second

    until(waits_long)
    (tmp_path / "go").touch()
    engine.ok("restart", "-t", "0", "loop")
    (tmp_path / "end").touch()
    assert engine.ok("wait", "loop") == "0\n"
    told = engine.ok("events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}").split()
    assert "start" not in told[told.index("restart") :]


def test_rename_and_update(engine: Sandbox) -> None:
    server(engine)
    engine.ok("rename", "srv", "other")
    assert engine.ok("ps", "--format", "{{.Names}}") == "other\n"
    engine.ok("update", "--restart", "on-failure:5", "other")
    policy = engine.ok("inspect", "-f", "{{json .HostConfig.RestartPolicy}}", "other")
    assert json.loads(policy) == {"Name": "on-failure", "MaximumRetryCount": 5}
    engine.ok("create", "--name", "taken", "host", "true")
    assert b"already in use" in engine.call("rename", "other", "taken").stderr
    engine.ok("stop", "other")
    assert engine.ok("ps", "-a", "--filter", "name=other", "--format", "{{.Names}}") == "other\n"


def test_events_list_the_life_of_a_container(engine: Sandbox) -> None:
    server(engine)
    engine.ok("stop", "srv")
    engine.ok("rm", "srv")
    lines = engine.ok(
        "events", "--since", "1h", "--until", "0s", "--filter", "container=srv",
        "--format", "{{.Action}}",
    ).split()  # fmt: skip
    assert lines == ["create", "start", "kill", "die", "stop", "destroy"]


def test_the_usage_of_a_run_is_kept(engine: Sandbox) -> None:
    engine.ok("run", "-d", "--name", "work", "host", "sh", "-c", "seq 100000 | tail -1")
    engine.ok("wait", "work")
    usage = json.loads(engine.ok("inspect", "-f", "{{json .State.Usage}}", "work"))
    assert usage["WallSeconds"] > 0
    assert usage["UserSeconds"] + usage["SystemSeconds"] > 0
    assert usage["MaxResidentBytes"] > 100_000


def test_wait_accepts_several_containers(engine: Sandbox) -> None:
    for name, code in (("w1", 1), ("w2", 2)):
        engine.ok("run", "-di", "--name", name, "host", "sh", "-c", f"read x; exit {code}")
    with subprocess.Popen(
        engine.argv("wait", "w1", "w2"), env=engine.environment(), stdout=subprocess.PIPE
    ) as waiting:
        for name in ("w1", "w2"):
            engine.ok("kill", "-s", "KILL", name)
        assert waiting.communicate(timeout=100)[0] == b"137\n137\n"


def test_cpuset_cpus_chooses_cpus(engine: Sandbox) -> None:
    chosen = min(os.sched_getaffinity(0))
    output = engine.ok("run", "--rm", "--cpuset-cpus", str(chosen), "host", "nproc")
    assert output == "1\n"
    done = engine.call("run", "--rm", "--cpuset-cpus", "4000", "host", "true")
    assert done.returncode == 125
    assert b"not available" in done.stderr

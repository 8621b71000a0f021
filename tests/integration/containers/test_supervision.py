# SPDX-License-Identifier: MIT
"""Health checks, memory limits, and restarts after a reboot."""

from __future__ import annotations

import json
import os
import pathlib
import signal

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import is_gone, record, server, state
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_the_health_status_follows_the_check(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "well"
    flags = ["--health-cmd", "echo look; test -e /m/well", "--health-interval", "150ms"]
    server(engine, "srv", *flags, "--health-retries", "2", "-v", f"{tmp_path}:/m")
    until(lambda: state(engine)["Health"]["Status"] == "unhealthy")
    health = state(engine)["Health"]
    assert health["FailingStreak"] >= 2
    assert health["Log"][-1]["ExitCode"] == 1
    assert health["Log"][-1]["Output"] == "look\n"
    assert len(health["Log"]) <= 5
    mark.touch()
    until(lambda: "(healthy)" in engine.ok("ps", "--format", "{{.Status}}"))
    assert engine.ok("ps", "-q", "--filter", "health=healthy") != ""
    flags = ("--since", "1h", "--until", "0s", "--format", "{{.Action}}")
    wanted = "health_status: unhealthy\nhealth_status: healthy\n"
    until(lambda: wanted in engine.ok("events", *flags))  # the event comes after the status


def test_long_output_of_a_check_is_cut(engine: Sandbox) -> None:
    much = ["--health-cmd", "head -c 300000 /dev/zero | tr '\\0' x", "--health-interval", "100ms"]
    server(engine, "srv", *much)
    until(lambda: state(engine)["Health"]["Status"] == "healthy")
    assert state(engine)["Health"]["Log"][0]["Output"] == "x" * 4096 + "..."


def test_a_check_that_takes_too_long_fails(engine: Sandbox) -> None:
    command = ["--health-cmd", "echo so far; sleep 100"]
    flags = [*command, "--health-interval", "100ms", "--health-timeout", "1s"]
    server(engine, "srv", *flags, "--health-retries", "1")
    until(lambda: state(engine)["Health"]["Status"] == "unhealthy")
    said = "Health check exceeded timeout (1s): so far\n"
    assert state(engine)["Health"]["Log"][0]["Output"] == said
    assert state(engine)["Running"]


def test_a_container_that_exceeds_its_memory_limit_is_killed(engine: Sandbox) -> None:
    script = "import time; x = bytearray(200_000_000); time.sleep(100)"
    command = ["host", "python3", "-c", script]
    engine.ok("run", "-d", "--name", "fat", "-m", "100m", *command)
    assert engine.ok("wait", "fat") == "137\n"
    assert state(engine, "fat")["OOMKilled"]
    thin = ["host", "sh", "-c", "exit 4"]
    assert engine.call("run", "--rm", "-m", "100m", *thin).returncode == 4


def test_system_start_starts_containers_by_their_restart_policy(engine: Sandbox) -> None:
    server(engine, "back", "--restart", "always")
    server(engine, "no")
    server(engine, "kept", "--restart", "unless-stopped")
    server(engine, "stopped", "--restart", "unless-stopped")
    engine.ok("stop", "stopped")
    keepers = [record(engine, name)["keeper"] for name in ("back", "no", "kept")]
    for pid in keepers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(map(is_gone, keepers)))
    assert sorted(engine.ok("system", "start").split()) == ["back", "kept"]
    assert sorted(engine.ok("ps", "--format", "{{.Names}}").split()) == ["back", "kept"]


def test_service_unit_prints_a_unit_for_systemd(engine: Sandbox) -> None:
    text = engine.ok("system", "service-unit")
    assert "ExecStart=" in text
    assert " system start" in text
    assert "KillMode=" in text


def test_inspect_shows_policy_limits_and_logging(engine: Sandbox) -> None:
    flags = ["--restart", "on-failure:3", "-m", "64m", "--stop-timeout", "3"]
    engine.ok("create", "--name", "c1", *flags, "--log-opt", "max-size=1m", "host", "true")
    shown = json.loads(engine.ok("inspect", "c1"))[0]
    assert shown["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert shown["HostConfig"]["Memory"] == 64 * 2**20
    assert shown["HostConfig"]["LogConfig"]["Config"]["max-size"] == str(2**20)
    assert shown["Config"]["StopTimeout"] == 3

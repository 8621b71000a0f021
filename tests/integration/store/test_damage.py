# SPDX-License-Identifier: MIT
"""Containers with damaged records, killed supervisors and full disks."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys

import pytest

from tests.harness.command import ROOT, Sandbox
from tests.harness.containers import is_gone, record
from tests.harness.polling import until
from tests.harness.smalldisk import MountForbiddenError, run_on_small_disk

pytestmark = pytest.mark.guest


def _running(engine: Sandbox, name: str, *flags: str) -> pathlib.Path:
    """Start a container; return its directory."""
    script = "echo before; (sleep 1000 &); sleep 1000"
    identity = engine.ok("run", "-d", "--name", name, *flags, "host", "sh", "-c", script).strip()
    until(lambda: engine.ok("logs", name) == "before\n")
    return engine.store / "containers" / identity


@pytest.mark.parametrize("content", ["", "{", '{"status": "flying"}'])
def test_a_running_container_with_a_damaged_state_file_is_shown_as_running(
    engine: Sandbox, content: str
) -> None:
    folder = _running(engine, "srv")
    pid = record(engine, "srv")["pid"]
    (folder / "state.json").write_text(content)
    assert engine.ok("ps", "--format", "{{.Names}} {{.State}}") == "srv running\n"
    assert record(engine, "srv")["pid"] == pid
    assert engine.ok("exec", "srv", "echo", "in") == "in\n"
    assert engine.ok("logs", "srv") == "before\n"
    (folder / "state.json").write_text(content)
    engine.ok("rm", "-f", "srv")
    assert is_gone(pid)
    assert not folder.exists()


def test_a_container_without_supervisor_and_state_file_has_exited(engine: Sandbox) -> None:
    folder = _running(engine, "srv")
    kept = record(engine, "srv")
    os.kill(kept["keeper"], signal.SIGKILL)
    until(lambda: is_gone(kept["keeper"]))
    (folder / "state.json").write_text("")
    shown = json.loads(engine.ok("inspect", "srv"))[0]["State"]
    assert (shown["Status"], shown["ExitCode"]) == ("exited", 137)
    assert "damaged" in shown["Error"]
    assert is_gone(kept["pid"])
    assert engine.ok("logs", "srv") == "before\n"
    engine.ok("start", "srv")
    until(lambda: engine.ok("logs", "srv") == "before\nbefore\n")


@pytest.mark.parametrize("name", ["config.json", "settings.json"])
def test_a_container_with_a_damaged_configuration_can_only_be_removed(
    engine: Sandbox, name: str
) -> None:
    folder = _running(engine, "bad")
    _running(engine, "good")
    kept = record(engine, "bad")
    (folder / name).write_text('{"id": ')
    short = folder.name[:12]
    listed = engine.call("ps", "--format", "{{.Names}}")
    assert (listed.returncode, listed.stdout) == (0, b"good\n")
    assert f"container {short} is damaged: " in listed.stderr.decode()
    for verb in ("stop", "start", "inspect", "logs", "rm"):
        refused = engine.call(verb, short)
        assert (refused.returncode, refused.stdout.strip(b"[]\n")) == (1, b"")
        assert len(refused.stderr.splitlines()) == 1
        assert name in refused.stderr.decode()
    assert "problem" in engine.call("system", "fsck").stdout.decode()
    assert engine.ok("rm", "-f", short) == f"{short}\n"
    assert is_gone(kept["pid"])
    until(lambda: is_gone(kept["keeper"]))  # it was killed; init reaps it later
    assert not folder.exists()
    runtime = pathlib.Path(engine.environ["XDG_RUNTIME_DIR"]) / "sandbox"
    assert not [path for path in runtime.iterdir() if path.name.startswith(short)]
    assert engine.ok("exec", "good", "echo", "fine") == "fine\n"
    assert "whole" in engine.ok("system", "fsck")


def test_the_container_of_a_killed_supervisor_exits_and_keeps_its_volumes(engine: Sandbox) -> None:
    _running(engine, "srv", "--restart", "always", "-v", "kept:/kept")
    engine.ok("exec", "srv", "sh", "-c", "echo mine > /kept/file; chown 7:7 /kept/file")
    before = record(engine, "srv")
    os.kill(before["keeper"], signal.SIGKILL)
    until(lambda: is_gone(before["pid"]))
    shown = json.loads(engine.ok("inspect", "srv"))[0]["State"]
    assert (shown["Status"], shown["ExitCode"]) == ("exited", 137)
    assert "killed" in shown["Error"]
    told = engine.ok("run", "--rm", "-v", "kept:/k", "host", "stat", "-c", "%u:%g", "/k/file")
    assert told == "7:7\n"
    assert engine.ok("system", "start") == "srv\n"
    engine.ok("rm", "-f", "srv")
    runtime = pathlib.Path(engine.environ["XDG_RUNTIME_DIR"]) / "sandbox"
    assert [path for path in runtime.iterdir() if path.name != "interceptor"] == []


def test_the_valid_lines_of_a_damaged_log_are_read(engine: Sandbox) -> None:
    folder = _running(engine, "srv")
    log = folder / f"{folder.name}-json.log"
    with log.open("ab") as file:
        file.write(b'{"log": "half\n\x00\x00\xff\xfe\n{"stream": 3}\n')
    engine.ok("restart", "-t", "0", "srv")
    until(lambda: engine.ok("logs", "srv") == "before\nbefore\n")
    assert engine.ok("logs", "--tail", "1", "srv") == "before\n"
    log.unlink()
    assert engine.ok("logs", "srv") == ""
    assert engine.ok("exec", "srv", "echo", "in") == "in\n"


# Runs where the small disk is mounted. The store is on the disk, which is filled and freed again.
ON_SMALL_DISK = r"""
import os, pathlib, sys, time
from tests.harness.command import Sandbox
from tests.harness.polling import until
disk = pathlib.Path(sys.argv[1])
sandbox = Sandbox(disk / "store")
script = ("echo begin; while [ ! -e /w/go ]; do sleep 0.02; done; i=0;"
          "while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done; touch /w/said; "
          "while [ ! -e /w/end ]; do sleep 0.02; done; echo end")
shared = pathlib.Path(sys.argv[2])
sandbox.ok("run", "-d", "--name", "srv", "-v", f"{shared}:/w", "host", "sh", "-c", script)
until(lambda: sandbox.ok("logs", "srv") == "begin\n")
try:
    with open(disk / "rest", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
except OSError:
    pass
(shared / "go").touch()
until(lambda: (shared / "said").exists())
assert sandbox.ok("ps", "--format", "{{.Names}}") == "srv\n"
assert "line 3000\n" not in sandbox.ok("logs", "srv")
refused = sandbox.call("run", "-d", "host", "true")
assert refused.returncode == 125 and b"No space left" in refused.stderr, refused
(disk / "rest").unlink()
(shared / "end").touch()
assert sandbox.ok("wait", "srv") == "0\n"
lines = sandbox.ok("logs", "srv").splitlines()
assert lines == ["begin", *(f"line {n + 1}" for n in range(3000)), "end"], lines[:3] + lines[-3:]
sandbox.ok("rm", "srv")
assert "whole" in sandbox.ok("system", "fsck")
"""


def test_a_full_disk_ends_no_container_and_loses_no_log_line(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    point, shared = tmp_path / "disk", tmp_path / "shared"
    point.mkdir()
    shared.mkdir()
    command = [sys.executable, "-c", ON_SMALL_DISK, str(point), str(shared)]
    try:
        code = run_on_small_disk(point, 8 << 20, command, cwd=ROOT, env=engine.environment())
    except MountForbiddenError:
        pytest.skip("only root may mount here")
    assert code == 0

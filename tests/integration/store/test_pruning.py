# SPDX-License-Identifier: MIT
"""Filters of prune, and sources of the flags of attach."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.harness.command import Sandbox
from tests.integration.containers.test_attach import _end, _terminal

pytestmark = pytest.mark.guest


def _names(engine: Sandbox) -> list[str]:
    return sorted(engine.ok("ps", "-a", "--format", "{{.Names}}").split())


def test_prune_removes_only_containers_that_match_the_filters(engine: Sandbox) -> None:
    for name, label in (("old1", "keep=no"), ("old2", "keep=yes"), ("old3", "other=1")):
        engine.ok("create", "--name", name, "-l", label, "host", "true")
    refused = engine.call("container", "prune", "-f", "--filter", "color=red")
    assert (refused.returncode, b"invalid filter" in refused.stderr) == (1, True)
    engine.ok("container", "prune", "-f", "--filter", "until=1h")
    assert _names(engine) == ["old1", "old2", "old3"]
    engine.ok("container", "prune", "-f", "--filter", "label=keep=no")
    assert _names(engine) == ["old2", "old3"]
    engine.ok("system", "prune", "-f", "--filter", "label!=keep")
    assert _names(engine) == ["old2"]
    engine.ok("system", "prune", "-f")
    assert _names(engine) == []


def test_volume_prune_has_filters_and_system_prune_may_include_volumes(engine: Sandbox) -> None:
    engine.ok("volume", "create", "--label", "a=1", "one")
    engine.ok("volume", "create", "two")
    told = engine.ok("volume", "prune", "-af", "--filter", "label=a")
    assert "one" in told.split()
    assert engine.ok("volume", "ls", "-q") == "two\n"
    anonymous = engine.ok("create", "-v", "/data", "host", "true").strip()
    engine.ok("rm", anonymous)
    assert len(engine.ok("volume", "ls", "-q").split()) == 2
    engine.ok("system", "prune", "-f")
    assert len(engine.ok("volume", "ls", "-q").split()) == 2
    assert "Deleted Volumes:" in engine.ok("system", "prune", "-f", "--volumes")
    assert engine.ok("volume", "ls", "-q") == "two\n"


def test_the_detach_keys_are_read_from_dockers_configuration(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "home" / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"detachKeys": "ctrl-a,d"}))
    child = _terminal(engine, "run", "-it", "--name", "sh", "-e", "PS1=here> ", "host", "sh")
    child.expect("here> ")
    child.send("\x01d")
    assert _end(child) == 0
    assert engine.ok("ps", "--format", "{{.Names}}") == "sh\n"
    child = _terminal(engine, "attach", "--detach-keys", "ctrl-x", "sh")
    child.send("\x18")
    assert _end(child) == 1


def test_stdout_or_stderr_can_be_attached_alone(engine: Sandbox) -> None:
    both = ["host", "sh", "-c", "echo out; echo err >&2"]
    only_out = engine.call("run", "-a", "stdout", *both)
    assert (only_out.stdout, only_out.stderr) == (b"out\n", b"")
    only_errors = engine.call("run", "-a", "STDERR", *both)
    assert (only_errors.stdout, only_errors.stderr) == (b"", b"err\n")
    wrong = engine.call("run", "-a", "stdlog", *both)
    assert wrong.returncode == 125
    assert b"valid streams are STDIN, STDOUT and STDERR" in wrong.stderr

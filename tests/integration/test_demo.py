# SPDX-License-Identifier: MIT
"""The demo of `make run` shows what it promises."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from tests.harness.command import ROOT, Sandbox

pytestmark = pytest.mark.guest


def test_the_demo_shows_root_and_leaves_the_host_unchanged(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    command = tmp_path / "sandbox"
    words = " ".join(f"'{word}'" for word in sandbox.argv())
    command.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    command.chmod(0o755)
    before = sorted(os.listdir("/usr/share/doc"))
    done = subprocess.run(
        [ROOT / "tools" / "demo.sh"],
        env={**sandbox.environment(), "SANDBOX": str(command)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "uid=0(root) gid=0(root)" in done.stdout
    assert "\nwritten by root in a container\n" in done.stdout
    assert sorted(os.listdir("/usr/share/doc")) == before
    assert not pathlib.Path("/etc/sandbox-demo").exists()


def test_run_exits_with_the_status_of_the_program(sandbox: Sandbox) -> None:
    assert sandbox.call("run", "--rm", "host", "sh", "-c", "exit 7").returncode == 7


def test_pipes_pass_every_byte(sandbox: Sandbox) -> None:
    every_byte = bytes(range(256)) * 300
    done = sandbox.call("run", "--rm", "-i", "host", "cat", stdin=every_byte)
    assert (done.returncode, done.stdout, done.stderr) == (0, every_byte, b"")

# SPDX-License-Identifier: MIT
"""Names and texts of an untrusted image cannot send escape sequences to the terminal."""

from __future__ import annotations

import io
import pathlib

import pexpect
import pytest

from tests.harness import images
from tests.harness.command import Sandbox

EVIL = "a\x1b[2J\nD b\x9b1m"
SHOWN = "a\\x1b[2J\\nD b\\x9b1m"


@pytest.fixture
def evil(sandbox: Sandbox, tmp_path: pathlib.Path) -> Sandbox:
    """Return a store with good:1, and with evil:1, whose names and labels hold escapes."""
    layers = [[images.file("same", "1")], [images.file(EVIL, "2\x1b[1m\n")]]
    history = [{"created_by": "first"}, {"created_by": f"RUN {EVIL}", "comment": EVIL}]
    config = {"history": history, "Labels": {"a": EVIL}, "Cmd": [EVIL]}
    for tag, used, more in (("good:1", layers[:1], {}), ("evil:1", layers, config)):
        images.docker_archive(used, more, tags=[tag], path=tmp_path / "archive")
        sandbox.ok("load", "-i", tmp_path / "archive")
    return sandbox


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["image", "diff", "good:1", "evil:1"], f"A /{SHOWN}"),
        (["image", "explore", "--layer", "2", "evil:1"], f"/{SHOWN}"),
        (["image", "explore", "evil:1"], "RUN a\\x1b[2J D b\\x9b1m"),
        (["history", "--no-trunc", "evil:1"], SHOWN),
        (["run", f"no\x1b[2J{EVIL}"], "sandbox: "),
    ],
)
def test_output_has_no_control_characters(evil: Sandbox, arguments: list[str], line: str) -> None:
    done = evil.call(*arguments)
    shown = (done.stdout + done.stderr).decode()
    assert line in shown
    assert not any(char in shown for char in "\x1b\x9b")


def test_files_and_commands_of_a_container_are_escaped(
    evil: Sandbox, tmp_path: pathlib.Path
) -> None:
    container = evil.ok("create", "evil:1").strip()
    data = io.BytesIO(images.tar([images.file(EVIL + "!", "x")])).getvalue()
    assert evil.call("cp", "-", f"{container}:/", stdin=data).returncode == 0
    assert f"A /{SHOWN}!" in evil.ok("diff", container).splitlines()
    [_, row] = evil.ok("ps", "-a", "--no-trunc").splitlines()
    assert SHOWN in row


@pytest.mark.parametrize(
    "arguments",
    [
        ["image", "inspect", "--format", "{{.Config.Labels.a}}", "evil:1"],
        ["image", "diff", "-p", "good:1", "evil:1"],
        ["image", "inspect", "evil:1"],
        ["history", "--format", "{{.CreatedBy}}", "evil:1"],
    ],
)
def test_a_terminal_gets_no_escapes_in_any_format(evil: Sandbox, arguments: list[str]) -> None:
    raw = evil.ok(*arguments)
    command, *rest = evil.argv(*arguments)
    environ = {**evil.environment(), "TERM": "linux"}
    child = pexpect.spawn(command, rest, env=environ, timeout=100)
    shown = child.read().decode()
    assert "x1b[" in shown or "u001b[" in shown
    assert not any(char in shown for char in "\x1b\x9b")
    if "--format" in arguments:
        assert EVIL.partition("\n")[0] in raw  # a pipe gets the raw bytes

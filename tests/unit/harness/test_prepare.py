# SPDX-License-Identifier: MIT
"""prepare.sh makes each fixture once and completely, and again after its script changed."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

from tests.harness.command import ROOT

MAKES = (
    'echo made >> "$(dirname "$0")/calls"; read -r _ < "$(dirname "$0")/gate"; echo {} > "$1/it"\n'
)


@pytest.fixture
def scripts(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with prepare.sh and a fixture, `thing`, which waits for a line in `gate`."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    shutil.copy(ROOT / "tests/fixtures/prepare.sh", folder)
    os.mkfifo(folder / "gate")
    write(folder, "one")
    return folder


def write(scripts: pathlib.Path, text: str) -> None:
    path = scripts / "make-thing.sh"
    path.write_text("#!/bin/sh\n" + MAKES.format(text))
    path.chmod(0o755)


def prepare(scripts: pathlib.Path) -> subprocess.Popen[bytes]:
    command = [scripts / "prepare.sh", scripts / "made"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def test_two_concurrent_runs_make_a_fixture_once(scripts: pathlib.Path) -> None:
    with prepare(scripts) as one, prepare(scripts) as other:
        (scripts / "gate").write_text("go\n")  # one of the two is making it now
        assert (one.wait(100), other.wait(60)) == (0, 0)
    assert (scripts / "calls").read_text() == "made\n"
    assert (scripts / "made/thing/it").read_text() == "one\n"


def test_the_old_fixture_stays_until_the_new_one_is_complete(scripts: pathlib.Path) -> None:
    with prepare(scripts) as first:
        (scripts / "gate").write_text("go\n")
        assert first.wait(100) == 0
    write(scripts, "two")
    with prepare(scripts) as second:
        with (scripts / "gate").open("w") as gate:
            assert (scripts / "made/thing/it").read_text() == "one\n"
            assert (scripts / "made/thing/ready").exists()
            gate.write("go\n")
        assert second.wait(100) == 0
    assert (scripts / "made/thing/it").read_text() == "two\n"

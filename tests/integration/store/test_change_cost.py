# SPDX-License-Identifier: MIT
"""The cost of diff, commit and cp depends on the changes and not on the size of the image."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.harness import images
from tests.harness.command import ROOT, Sandbox

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(
        os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace", reason="a thread has one tracer"
    ),
]

FEW, MANY = 3, 3000
FOLDERS = 3
WITNESS = ROOT / "tests" / "harness" / "witness.py"


def _container(engine: Sandbox, folder: pathlib.Path, count: int) -> str:
    """Make a container that changed two files of an image with *count* files in each folder."""
    members = [images.directory(f"d{number}") for number in range(FOLDERS)]
    for number in range(FOLDERS):
        members += [images.file(f"d{number}/f{item}") for item in range(count // FOLDERS)]
    archive = images.rootfs_archive(members, folder / f"{count}.tar")
    engine.ok("import", archive, f"base{count}")
    engine.ok("create", "--name", f"c{count}", f"base{count}", "none")
    changes = images.tar([images.file("d0/new", b"1"), images.file("d1/f0", b"2")])
    engine.ok("cp", "-", f"c{count}:/", stdin=changes)
    return f"c{count}"


def _calls(engine: Sandbox, folder: pathlib.Path, *arguments: str) -> int:
    """Return the number of system calls with a path that the command makes."""
    seen = folder / "seen"
    words = [sys.executable, "-W", "ignore", os.fspath(WITNESS), *engine.argv(*arguments)]
    subprocess.run(
        ["sh", "-c", f'exec "$@" 3> {seen}', "sh", *words],
        env={**engine.environment(), "WITNESS_EVERYBODY": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=100,
        check=True,
    )
    return len(seen.read_text().splitlines())


def test_an_image_with_a_thousand_times_more_files_needs_no_more_calls(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    few, many = (_container(engine, tmp_path, count) for count in (FEW, MANY))
    assert engine.ok("diff", many) == engine.ok("diff", few)
    assert engine.ok("diff", many).split("\n") == ["C /d0", "A /d0/new", "C /d1", "C /d1/f0", ""]
    copied = os.fspath(tmp_path / "copied")
    for verb in (["diff", "NAME"], ["commit", "NAME"], ["cp", "NAME:/d0/new", copied]):
        engine.ok(*(word.replace("NAME", few) for word in verb))  # Python may compile modules
        small, large = (
            _calls(engine, tmp_path, *(word.replace("NAME", name) for word in verb))
            for name in (few, many)
        )
        assert small > 100  # the tracer saw the command
        assert abs(large - small) < 100, verb

# SPDX-License-Identifier: MIT
"""Names that are changed over and over in a directory that is known by then."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.harness import images

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

LOWER = ("one", "two", "three")


@pytest.fixture
def image(
    sandbox: Sandbox, guest_program: Callable[..., pathlib.Path], tmp_path: pathlib.Path
) -> str:
    """An image with the program and the folder that it expects; its name."""
    program = guest_program("quick", "gcc", "-static")
    members = [
        images.file("quick", program.read_bytes(), mode=0o755),
        images.directory("work"),
        images.directory("work/lower"),
        images.directory("work/lower/below"),
        *(images.file(f"work/lower/{name}", name) for name in LOWER),
    ]
    archive = tmp_path / "image.tar"
    archive.write_bytes(images.tar(members))
    sandbox.ok("import", str(archive), "quick")
    return "quick"


def test_names_change_as_on_the_host_however_often(
    sandbox: Sandbox,
    image: str,
    guest_program: Callable[..., pathlib.Path],
    tmp_path: pathlib.Path,
) -> None:
    folder = tmp_path / "work"
    (folder / "lower" / "below").mkdir(parents=True)
    for name in LOWER:
        (folder / "lower" / name).write_text(name)
    program = guest_program("quick", "gcc", "-static")
    done = subprocess.run([program, folder], capture_output=True, text=True, timeout=60, check=True)
    assert "warm" not in done.stdout
    assert sandbox.ok("run", "--rm", image, "/quick", "/work", timeout=120) == done.stdout


def test_a_known_directory_needs_one_call_of_the_kernel_for_a_name(
    sandbox: Sandbox, image: str, tmp_path: pathlib.Path
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    log = tmp_path / "log"
    words = [strace, "-f", "-o", str(log), "-e", "trace=%file"]
    subprocess.run(
        [*words, *sandbox.argv("run", "--rm", image, "/quick", "/work")],
        env=sandbox.environment(),
        check=True,
        timeout=100,
        stdout=subprocess.DEVNULL,
    )
    calls = [line for line in log.read_text(errors="replace").splitlines() if "/upper/" in line]
    names = [re.search(r"(\w+)\(.*?/upper/work/new/(warm(?:er)?)\"", line) for line in calls]
    seen = [(found[1], found[2]) for found in names if found]
    known = [("openat", "warm"), ("renameat2", "warm"), ("unlinkat", "warmer")]
    assert any(seen[at : at + 6] == known * 2 for at in range(len(seen)))

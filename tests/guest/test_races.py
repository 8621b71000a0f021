# SPDX-License-Identifier: MIT
"""When processes change one name at once, one of them wins, and no file is lost or half-made."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.harness import images, layered
from tests.harness.cbuild import BUILDS
from tests.harness.oracle import native

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = ("winners", "writers", "replaced", "shared", "first", "moving")


@pytest.mark.parametrize("place", ["upper", "lower", "bind"])
@pytest.mark.parametrize("group", GROUPS)
def test_races_end_as_on_the_host(oracle: Oracle, guest_program, group: str, place: str) -> None:
    oracle.same_in(place, guest_program("races"), group)


@pytest.mark.parametrize("group", ["first", "moving"])
def test_an_images_directory_may_change_while_other_processes_copy_it_up(
    oracle: Oracle, guest_program: Callable[..., pathlib.Path], group: str
) -> None:
    """strace delays the rename that puts a copy into its place."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    program = guest_program("races", *BUILDS["static"])
    folder = oracle.inside_folder
    subprocess.run([program, group, "prepare"], check=True, timeout=100, cwd=folder)
    layers = [[images.file("races", program.read_bytes(), mode=0o755), *layered.members(folder)]]
    oracle.sandbox.ok("load", stdin=images.docker_archive(layers, tags=["image:1"]))
    slow = [strace, "-f", "-o", "/dev/null", "-e", "trace=renameat2"]
    slow += ["-e", "inject=renameat2:delay_enter=20000"]
    flags = ["--interceptor", "trap", "-w", str(folder)]
    run = oracle.sandbox.argv("run", "--rm", *flags, "image:1", "/races", group, "observe")
    inside = subprocess.run(
        [*slow, *run],
        env=oracle.sandbox.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    expected = native([program, group, "both"], oracle.native_folder)
    assert inside.stdout == expected.output

# SPDX-License-Identifier: MIT
"""Access control lists decide and are inherited as the kernel's are, also from an image's layers.

The oracle is what a real kernel answered to real root, recorded: see lists.c.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from tests.harness import images
from tests.harness.oracle import difference

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

RECORDED = pathlib.Path(__file__).parent / "recorded"


def compare(group: str, output: str) -> None:
    recorded = (RECORDED / f"lists-{group}.txt").read_text().splitlines()
    found = output.splitlines()
    assert recorded == found, difference(recorded, found)


@pytest.mark.parametrize("group", ["inherited", "allowed", "masks"])
def test_lists_mean_what_they_mean_to_the_kernel(
    sandbox: Sandbox, guest_program, group: str
) -> None:
    program = guest_program("lists")
    compare(group, sandbox.ok("run", "--rm", "-w", "/srv/sbx", "host", str(program), group))


def test_lists_of_an_images_files_decide_and_are_inherited(
    sandbox: Sandbox, guest_program, tmp_path: pathlib.Path
) -> None:
    program = guest_program("lists").read_bytes()
    archive = tmp_path / "tree.tar"
    members = [images.file("lists", program, mode=0o755), images.directory("srv/sbx")]
    archive.write_bytes(images.tar(members))
    sandbox.ok("import", str(archive), "tree")
    for group in ("inherited", "allowed"):
        run = "run", "--name", group, "-w", "/srv/sbx", "tree", "/lists", group
        compare(group, sandbox.ok(*run))
        sandbox.ok("commit", group, "tree")
    for group in ("again", "judged"):
        compare(group, sandbox.ok("run", "--rm", "-w", "/srv/sbx", "tree", "/lists", group))

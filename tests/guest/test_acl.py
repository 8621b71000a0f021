# SPDX-License-Identifier: MIT
"""POSIX access control lists work as in the kernel, also those of files in an image's layers.

The expected output was recorded with real root: see acl.c.
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
    recorded = (RECORDED / f"acl-{group}.txt").read_text().splitlines()
    found = output.splitlines()
    assert recorded == found, difference(recorded, found)


@pytest.mark.parametrize("group", ["inherited", "allowed", "masks"])
def test_access_control_lists_work_as_in_the_kernel(
    sandbox: Sandbox, guest_program, group: str
) -> None:
    program = guest_program("acl")
    compare(group, sandbox.ok("run", "--rm", "-w", "/srv/sbx", "host", str(program), group))


def test_access_control_lists_of_an_image_work_and_are_inherited(
    sandbox: Sandbox, guest_program, tmp_path: pathlib.Path
) -> None:
    program = guest_program("acl").read_bytes()
    archive = tmp_path / "tree.tar"
    members = [images.file("acl", program, mode=0o755), images.directory("srv/sbx")]
    archive.write_bytes(images.tar(members))
    sandbox.ok("import", str(archive), "tree")
    for group in ("inherited", "allowed"):
        run = "run", "--name", group, "-w", "/srv/sbx", "tree", "/acl", group
        compare(group, sandbox.ok(*run))
        sandbox.ok("commit", group, "tree")
    for group in ("again", "judged"):
        compare(group, sandbox.ok("run", "--rm", "-w", "/srv/sbx", "tree", "/acl", group))

# SPDX-License-Identifier: MIT
"""Directory listings are the same as on the host, also while the directory changes."""

from __future__ import annotations

import pathlib
import subprocess
from dataclasses import replace

import pytest

from tests.harness import images
from tests.harness.cbuild import BUILDS
from tests.harness.oracle import Oracle, native

pytestmark = pytest.mark.guest

GROUPS = ("kinds", "many", "seeks", "removing", "adding", "renaming", "raw", "storm", "changed")


@pytest.mark.parametrize("place", ["upper", "lower", "bind"])
@pytest.mark.parametrize("group", GROUPS)
def test_listings_are_the_same_as_on_the_host(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    oracle.same_in(place, guest_program("directory_listings"), group)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("group", GROUPS[1:])  # no image holds a socket
def test_listings_of_an_image_are_the_same_as_on_the_host(
    oracle: Oracle, guest_program, group: str, layers: int
) -> None:
    program = guest_program("directory_listings", *BUILDS["static"])
    subprocess.run([program, group, "prepare"], check=True, timeout=100, cwd=oracle.inside_folder)
    files = sorted(path for path in oracle.inside_folder.rglob("*") if path.is_file())
    members = [
        images.file(str(path.relative_to(oracle.inside_folder.parent)), path.read_bytes())
        for path in files
    ]
    split = [[images.directory("work"), *members[number::layers]] for number in range(layers)]
    split[0].append(images.file("directory_listings", program.read_bytes(), mode=0o755))
    oracle.sandbox.ok("load", stdin=images.docker_archive(split, tags=["image:1"]))
    expected = native([program, group, "both"], oracle.native_folder)
    inside = replace(oracle, image="image:1", inside_folder=pathlib.Path("/work"))
    inside.compare(expected, inside.inside(["/directory_listings", group, "observe"]))

# SPDX-License-Identifier: MIT
"""Every call that takes a path answers as the kernel does, whatever the path is."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from tests.harness import oracle as oracles
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

# Where the tree lies that the calls work on.
PLACES = ("upper", "lower", "bind", "tmpfs")
GROUPS = ("look", "open", "change", "meta", "xattr", "pairs", "openat2")

DIFFERS: dict[str, str] = {}


def observe(oracle: Oracle, program: pathlib.Path, group: str, place: str) -> oracles.Seen:
    """Make the tree in its place and run the calls in a container."""
    folder = str(oracle.inside_folder)
    if place == "lower":
        subprocess.run([program, group, "prepare", folder], check=True, timeout=60)
        before = oracles.tree_hash(oracle.inside_folder)
        actual = oracle.inside([program, group, "observe", folder])
        assert oracles.tree_hash(oracle.inside_folder) == before, "the host's files changed"
        return actual
    flags = {"bind": ["-v", f"{folder}:{folder}"], "tmpfs": ["--tmpfs", folder]}
    return oracle.inside([program, group, "both", folder], *flags.get(place, []))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_calls_answer_as_the_kernel_does(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    program = guest_program("paths")
    expected = oracles.native(
        [program, group, "both", oracle.native_folder], oracle.native_folder
    )
    actual = observe(oracle, program, group, place)
    oracle.compare(expected, actual, DIFFERS)

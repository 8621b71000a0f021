# SPDX-License-Identifier: MIT
"""Directories are listed as on the host, also while they change."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.harness import oracle as oracles

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = ("kinds", "many", "seeks", "removing", "adding", "renaming", "raw")


@pytest.mark.parametrize("place", ["upper", "lower", "bind"])
@pytest.mark.parametrize("group", GROUPS)
def test_listings_are_as_on_the_host(oracle: Oracle, guest_program, group: str, place: str) -> None:
    program = guest_program("listings")
    folder = str(oracle.inside_folder)
    expected = oracles.native([program, group, "both"], oracle.native_folder)
    if place == "lower":
        subprocess.run([program, group, "prepare"], check=True, timeout=60, cwd=folder)
        before = oracles.tree_hash(oracle.inside_folder)
        actual = oracle.inside([program, group, "observe"])
        assert oracles.tree_hash(oracle.inside_folder) == before, "the host's files changed"
    else:
        flags = ["-v", f"{folder}:{folder}"] if place == "bind" else []
        actual = oracle.inside([program, group, "both"], *flags)
    oracle.compare(expected, actual)

# SPDX-License-Identifier: MIT
"""Processes that use one name at once get one winner, whole files and no losses."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.harness import oracle as oracles

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest


@pytest.mark.parametrize("place", ["upper", "lower", "bind"])
@pytest.mark.parametrize("group", ["winners", "writers", "replaced", "shared"])
def test_races_end_as_on_the_host(oracle: Oracle, guest_program, group: str, place: str) -> None:
    program = guest_program("races")
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

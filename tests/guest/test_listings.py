# SPDX-License-Identifier: MIT
"""Directories are listed as on the host, also while they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = ("kinds", "many", "seeks", "removing", "adding", "renaming", "raw")


@pytest.mark.parametrize("place", ["upper", "lower", "bind"])
@pytest.mark.parametrize("group", GROUPS)
def test_listings_are_as_on_the_host(oracle: Oracle, guest_program, group: str, place: str) -> None:
    oracle.same_in(place, guest_program("listings"), group)

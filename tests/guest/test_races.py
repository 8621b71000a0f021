# SPDX-License-Identifier: MIT
"""Processes that use one name at once get one winner, whole files and no losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest


@pytest.mark.parametrize("place", ["upper", "lower", "bind"])
@pytest.mark.parametrize("group", ["winners", "writers", "replaced", "shared"])
def test_races_end_as_on_the_host(oracle: Oracle, guest_program, group: str, place: str) -> None:
    oracle.same_in(place, guest_program("races"), group)

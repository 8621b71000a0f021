# SPDX-License-Identifier: MIT
"""Corners of calls that test suites of others look into answer as the kernel does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = (
    "busy",
    "changes",
    "watches",
    "namespaces",
    "vectors",
    "zombies",
    "listings",
    "binds",
    "mounts",
    "stacks",
)


@pytest.mark.parametrize("group", GROUPS)
def test_corners_of_calls_answer_as_the_kernel(
    short_oracle: Oracle, guest_program, group: str
) -> None:
    short_oracle.same([guest_program("corners"), group])


@pytest.mark.parametrize("group", ["busy", "watches", "changes", "binds"])
def test_corners_of_calls_answer_as_the_kernel_in_a_bind(
    short_oracle: Oracle, guest_program, group: str
) -> None:
    folder = str(short_oracle.inside_folder)
    short_oracle.same([guest_program("corners"), group], "-v", f"{folder}:{folder}")

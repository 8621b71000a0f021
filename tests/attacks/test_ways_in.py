# SPDX-License-Identifier: MIT
"""Files of the machine are out of reach, however a program comes into its container."""

from __future__ import annotations

import pytest

from tests.harness.attacks import INTERCEPTORS, WAYS, Arena, successes

pytestmark = pytest.mark.guest

PROGRAMS = ("files",)
ATTEMPTS = [
    "read the key",
    "list its directory",
    "make a file",
    "make a link to the key",
    "remove the file",
    "watch the key",
    "watch its directory",
    "watch the root of the machine",
]
BY_THE_OPENER = [f"{what} by the opener" for what in ATTEMPTS if what.startswith("watch")]
SHORT = [*((way, "rewrite") for way in WAYS), ("run", "trap"), ("run", "ptrace")]
REST = [(way, name) for way in WAYS for name in INTERCEPTORS if (way, name) not in SHORT]


def check(fenced: Arena, way: str, interceptor: str) -> None:
    command = ("files", fenced.key, fenced.canary)
    found = fenced.attack(*command, way=way, interceptor=interceptor)
    assert sorted(found) == sorted(ATTEMPTS + BY_THE_OPENER)
    assert successes(found) == []


def test_without_the_fence_the_attack_succeeds(unfenced: Arena) -> None:
    found = unfenced.attack("files", unfenced.key, unfenced.canary)
    assert successes(found) == ATTEMPTS


@pytest.mark.parametrize(("way", "interceptor"), SHORT)
def test_the_machines_files_are_out_of_reach(fenced: Arena, way: str, interceptor: str) -> None:
    check(fenced, way, interceptor)


@pytest.mark.long  # the other pairs of a way in and an interceptor
@pytest.mark.parametrize(("way", "interceptor"), REST)
def test_the_machines_files_are_out_of_reach_by_every_pair(
    fenced: Arena, way: str, interceptor: str
) -> None:
    check(fenced, way, interceptor)

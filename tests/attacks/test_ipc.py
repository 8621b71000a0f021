# SPDX-License-Identifier: MIT
"""No container makes System V objects that outlive it, and none removes those of others."""

from __future__ import annotations

import pytest

from tests.harness.attacks import INTERCEPTORS, Arena, successes
from tests.harness.containers import sysv_segment

pytestmark = pytest.mark.guest

PROGRAMS = ("ipc",)
ATTEMPTS = [
    f"make a {kind} {how} a key"
    for kind in ("segment", "set", "queue")
    for how in ("with", "without")
]


def test_without_the_fence_a_guest_makes_objects_with_any_key(unfenced: Arena) -> None:
    assert sorted(successes(unfenced.attack("ipc", "make"))) == sorted(ATTEMPTS)


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_no_guest_makes_an_object_that_outlives_its_container(
    fenced: Arena, interceptor: str
) -> None:
    found = fenced.attack("ipc", "make", interceptor=interceptor)
    assert sorted(found) == sorted(ATTEMPTS)
    assert successes(found) == []


def test_no_guest_makes_the_host_side_remove_an_object_of_others(fenced: Arena) -> None:
    with sysv_segment() as private, sysv_segment(0x5EED7777) as keyed:
        for victim in (private, keyed):
            fenced.attack("ipc", "claim", str(victim))
            fenced.sandbox.ok("ps")
            fenced.sandbox.ok("system", "prune", "-f")

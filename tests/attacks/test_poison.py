# SPDX-License-Identifier: MIT
"""A guest does not change what later containers of its image run.

Release 0.2.0 believed the places that a guest named. Without the checks of
csrc/layers/rewritten_build.c both attempts on instructions succeed, with the fence or without it.
"""

from __future__ import annotations

import fcntl
import json

import pytest

from tests.harness.attacks import WAYS, Arena, successes

pytestmark = pytest.mark.guest

PROGRAMS = ("poison",)


@pytest.mark.parametrize("way", WAYS)
def test_a_place_that_a_guest_names_is_verified(fenced: Arena, way: str) -> None:
    assert successes(fenced.attack("poison", "forge", way=way)) == ["forge four places"]
    for container in fenced.running.copy():  # an exec's container learns when it ends
        fenced.sandbox.ok("rm", "-f", fenced.running.pop(container))
    found = fenced.attack("poison", "check")
    assert len(found) == 3
    assert successes(found) == []
    assert "rewritten copy" not in fenced.sandbox.ok("system", "fsck")


def test_true_places_are_rewritten_all_the_same(fenced: Arena) -> None:
    """Without this, the test above would prove nothing."""
    fenced.attack("poison", "forge")
    fenced.attack("poison", "check")
    (listed,) = fenced.sandbox.store.glob("layers/*/rewritten.json")
    rows = {row[0]: row for row in json.loads(listed.read_text())}
    path, _, _, made, _, sites, refused, _ = rows["poison"]
    assert path == "poison"
    assert made
    assert sites
    assert len(refused) == 3


def test_a_held_lock_of_a_layer_delays_no_container(fenced: Arena) -> None:
    for place in fenced.sandbox.store.glob("layers/*"):
        with (place / "rewritten.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (place / "rewritten.json").unlink(missing_ok=True)
            assert len(fenced.attack("poison", "check")) == 3


def test_no_guest_of_an_image_can_open_a_lock_of_its_layers(fenced: Arena) -> None:
    for place in fenced.sandbox.store.glob("layers/*"):
        granted = [place / "diff", place / "rewritten"]
        locks = [path for path in place.rglob("*lock") if not path.is_relative_to(place / "diff")]
        assert locks
        assert not [path for path in locks for top in granted if path.is_relative_to(top)]

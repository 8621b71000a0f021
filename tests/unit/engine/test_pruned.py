# SPDX-License-Identifier: MIT
"""The result of several prunes."""

from __future__ import annotations

from sandbox.engine.pruned import Pruned


def test_names_and_bytes_of_two_prunes_are_added() -> None:
    total = Pruned(containers=["a"], freed=1)
    total.add(Pruned(containers=["b"], networks=["n"], volumes=["v"], freed=2))
    total.add(Pruned(untagged=["i:1"], deleted=["sha256:1"], builds=["x"], freed=4))
    assert total == Pruned(
        containers=["a", "b"],
        networks=["n"],
        volumes=["v"],
        untagged=["i:1"],
        deleted=["sha256:1"],
        builds=["x"],
        freed=7,
    )

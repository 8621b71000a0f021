# SPDX-License-Identifier: MIT
"""``system df`` counts what is on disk."""

from __future__ import annotations

import pathlib
import subprocess

from sandbox.store.layout import default_root
from tests.harness import images
from tests.harness.store import Store

BASE = [
    images.directory("etc"),
    images.file("etc/os", "one\ntwo\n"),
    images.file("etc/same", "same"),
    images.file("big", images.noise(50_000)),
    images.file("binary", b"\0one"),
]


def du(path: pathlib.Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", path], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def test_df_counts_what_du_counts(engine: Store) -> None:
    engine.load([BASE, [images.file("x", images.noise(300_000))]], tags=["a:1"])
    engine.load([BASE, [images.file("y", images.noise(200_001))]], tags=["b:1"])
    usage = engine.system.df()
    assert abs(usage.total - du(default_root())) <= du(default_root()) / 100
    assert all(item.shared > 50_000 for item in usage.images)
    assert usage.images_reclaimable > 500_000

# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
from pathlib import Path

from sandbox.models.digest import digest_of
from sandbox.store.atomic_files import workspace
from sandbox.store.garbage_collection import sweep
from sandbox.store.layout import Layout
from sandbox.store.lock import store_lock
from sandbox.store.pins import PINNING, pin, pinned

DIGEST = digest_of(b"soon needed")


def test_a_pin_lasts_as_long_as_its_workspace(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "store")
    with workspace(layout, PINNING) as scratch:
        pin(layout, scratch, [DIGEST])
        layout.layer(DIGEST).mkdir()
        assert sweep(layout).names == []
        with store_lock(layout):
            assert pinned(layout) == {DIGEST}
    with store_lock(layout):
        assert pinned(layout) == set()
    assert sweep(layout).names == [DIGEST]


def test_a_pin_ends_with_its_process(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "store")
    child = os.fork()
    if child == 0:
        with workspace(layout, PINNING) as scratch:
            pin(layout, scratch, [DIGEST])
            os._exit(0)
    os.waitpid(child, 0)
    with store_lock(layout):
        assert pinned(layout) == set()
    sweep(layout)
    assert os.listdir(layout.tmp) == []

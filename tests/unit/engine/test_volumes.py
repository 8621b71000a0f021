# SPDX-License-Identifier: MIT
"""Volumes as the engine makes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine import Engine
from sandbox.store.layout import Layout
from sandbox.store.lock import acquire, open_lock

if TYPE_CHECKING:
    import pathlib

    import pytest


def test_a_prune_waits_until_a_new_volume_is_in_its_place(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "store")
    rename = os.rename
    seen: list[bool] = []

    def watched(old: str, new: str) -> None:
        fd = open_lock(layout.lock)
        seen.append(acquire(fd, wait=False))  # what a prune would wait for
        os.close(fd)
        rename(old, new)

    monkeypatch.setattr("sandbox.store.volumes.os.rename", watched)
    volume = Engine(layout).volumes.create("data", {"a": "b"})
    assert seen == [False]
    assert (volume.name, volume.labels) == ("data", {"a": "b"})
    assert os.listdir(layout.tmp) == []

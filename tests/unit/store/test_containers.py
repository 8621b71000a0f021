# SPDX-License-Identifier: MIT
"""Containers of a store that other processes change at the same time."""

from __future__ import annotations

import pathlib
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.errors import ContainerNotFound
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout

BOX: Any = SimpleNamespace(config=SimpleNamespace(id="a" * 64, name="box"))


def test_a_container_that_is_removed_during_a_look_up_is_not_found(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ContainerStore(Layout(tmp_path))
    monkeypatch.setattr(pathlib.Path, "exists", lambda _: True)  # it was there a moment ago
    with pytest.raises(ContainerNotFound, match="no such container: box"):
        store.hold(BOX)

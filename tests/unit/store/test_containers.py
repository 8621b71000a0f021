# SPDX-License-Identifier: MIT
"""Containers of a store that others change meanwhile."""

from __future__ import annotations

import pathlib
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.errors import ContainerNotFound
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout

BOX: Any = SimpleNamespace(config=SimpleNamespace(id="a" * 64, name="box"))


def test_one_that_is_removed_while_it_is_looked_at_is_not_found(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ContainerStore(Layout(tmp_path))
    monkeypatch.setattr(pathlib.Path, "exists", lambda _: True)  # it was there just now
    with pytest.raises(ContainerNotFound, match="no such container: box"):
        store.hold(BOX)

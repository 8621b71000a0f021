# SPDX-License-Identifier: MIT
"""Completion never fails."""

from __future__ import annotations

import pathlib
from typing import Any

from sandbox.cli.completion import complete_containers, complete_images
from sandbox.models.container import ContainerConfig
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout, default_root

ANY: Any = None


def test_names_that_begin_so_are_offered() -> None:
    store = ContainerStore(Layout.default())
    for number, name in enumerate(("web", "worker", "db")):
        config = ContainerConfig(
            id=f"{number}" * 64, name=name, created="2026-01-01T00:00:00Z", image="x",
            image_id="", entrypoint=(), cmd=("true",),
        )  # fmt: skip
        store.create(lambda _taken, config=config: config)
    assert complete_containers(ANY, ANY, "w") == ["web", "worker"]
    assert complete_containers(ANY, ANY, "x") == []
    assert complete_images(ANY, ANY, "h") == ["host"]


def test_a_store_that_cannot_be_read_offers_nothing() -> None:
    root = pathlib.Path(default_root())
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_text("no directory")
    assert complete_containers(ANY, ANY, "") == []

# SPDX-License-Identifier: MIT
"""``rmi``."""

from __future__ import annotations

import time

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Conflict
from tests.harness import images
from tests.harness.store import Store


def test_an_image_that_a_container_uses_is_not_removed(engine: Store) -> None:
    image = engine.load([[images.file("a")]], tags=["app:1"])
    engine.containers.create(CreateRequest(image="app:1", args=("/a",)))
    with pytest.raises(Conflict):
        engine.images.remove("app:1")
    assert engine.images.get("app:1").id == image.id


def test_a_removal_appends_its_events(engine: Store) -> None:
    engine.load([[images.file("a")]], tags=["app:1"])
    began = time.time()
    removal = engine.images.remove("app:1")
    assert (removal.untagged, len(removal.deleted)) == (["app:1"], 2)
    actions = [item["Action"] for item in engine.system.events(since=began, until=time.time())]
    assert actions == ["untag", "delete"]

# SPDX-License-Identifier: MIT
"""``image prune``."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from sandbox.cli.main import main
from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Conflict
from tests.harness import images
from tests.harness.store import Store


def test_prune_removes_images_without_a_name(
    engine: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    first = engine.load([[images.file("a", images.noise(70_000))]], tags=["a:1"]).id
    engine.load([[images.file("b")]], tags=["a:1"])
    assert main(["image", "prune", "-f"]) == 0
    out = capsys.readouterr().out
    assert first in out
    assert "Total reclaimed space: " in out
    assert "reclaimed space: 0B" not in out
    assert [image.repo_tags for image in engine.images.list()] == [("docker.io/library/a:1",)]
    assert main(["image", "prune", "-a", "-f"]) == 0
    assert engine.images.list() == []
    assert os.listdir(engine.layout.layers) == os.listdir(engine.layout.blobs) == []


def test_prune_asks_the_user(
    engine: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.load([[images.file("a")]])
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["image", "prune"]) == 0
    assert capsys.readouterr().out == (
        "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] "
    )
    assert len(engine.images.list()) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(" Y\n"))
    assert main(["image", "prune"]) == 0
    assert engine.images.list() == []


def test_prune_keeps_an_image_that_a_container_uses(engine: Store) -> None:
    image_id = engine.load([[images.file("a")]], tags=["a:1"]).id
    request: Any = CreateRequest(image="a:1", args=("/a",))
    container = engine.containers.create(request)
    engine.load([[images.file("b")]], tags=["a:1"])
    assert engine.images.prune(everything=True).deleted
    assert [image.id for image in engine.images.list()] == [image_id]
    with pytest.raises(Conflict):
        engine.images.remove(image_id)
    pruned = engine.system.prune(everything=True)
    assert pruned.containers == [container.config.id]
    assert engine.images.list() == []

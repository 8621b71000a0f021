# SPDX-License-Identifier: MIT
"""``ps --filter`` looks up images and networks in the store."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.engine.containers.filters import image_family, network_words
from sandbox.errors import UsageError
from sandbox.models.network import NetworkWish
from tests.harness import images
from tests.harness.store import Store

BASE = [images.file("a", "1")]


def test_the_descendants_of_an_image_begin_with_its_layers(engine: Store) -> None:
    base = engine.load([BASE], tags=["base:1"])
    child = engine.load([BASE, [images.file("b")]], tags=["child:1"])
    engine.load([[images.file("c")]], tags=["other:1"])
    assert image_family(engine.layout, "base:1") == {base.id, child.id}
    assert image_family(engine.layout, "child:1") == {child.id}
    assert image_family(engine.layout, "nothing:1") == set()


def test_a_network_has_its_name_and_the_start_of_its_id(engine: Store) -> None:
    network = engine.networks.create(NetworkWish(name="backend"))
    for word in ("backend", network.id[:6]):
        assert network_words(engine.layout, word) >= {word, "backend", network.id}
    assert network_words(engine.layout, "nothing") == {"nothing"}


def test_containers_are_listed_by_their_image_s_ancestor(engine: Store) -> None:
    engine.load([BASE], tags=["base:1"])
    engine.load([BASE, [images.file("b")]], tags=["child:1"])
    for image, name in (("base:1", "old"), ("child:1", "new"), ("host", "other")):
        engine.containers.create(CreateRequest(image=image, args=("/a",), name=name))
    found = engine.containers.list(filters=["ancestor=base:1"])
    assert [item.config.name for item in found] == ["new", "old"]


def test_an_unknown_filter_is_refused(engine: Store) -> None:
    with pytest.raises(UsageError, match="odd"):
        engine.containers.list(filters=["odd=1"])

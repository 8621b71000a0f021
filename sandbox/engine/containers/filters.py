# SPDX-License-Identifier: MIT
"""What ``ps --filter`` asks the store: which images descend from one, which networks are meant.

Does not know: how a filter is read (`models.container_filters` does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.models.container_filters import Lookups, container_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.engine import Engine
    from sandbox.models.container import Container


def containers_that(engine: Engine, filters: Sequence[str]) -> Callable[[Container], bool]:
    """Return the test for ``--filter``."""
    lookups = Lookups(
        container=engine.container,
        family=lambda name: image_family(engine, name),
        networks=lambda word: network_words(engine, word),
    )
    return container_filter(filters, lookups)


def image_family(engine: Engine, name: str) -> set[str]:
    """Return the ids of an image and of all that begin with its layers; none if it is unknown."""
    try:
        head = engine.find_image(name)
    except SandboxError:
        return set()
    depth = len(head.layers)
    return {head.id} | {
        image.id for image in engine.images() if depth and image.layers[:depth] == head.layers
    }


def network_words(engine: Engine, word: str) -> set[str]:
    """Return what containers may call the network of this name, or of an id with this beginning."""
    return {word} | {
        text
        for network in engine.networks()
        if network.name == word or network.id.startswith(word)
        for text in (network.name, network.id)
    }

# SPDX-License-Identifier: MIT
"""``ps --filter``: look up the images and networks that filters name.

Must not know: how filters are parsed (`models.container_filters`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.models.container_filters import Lookups, container_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container
    from sandbox.store.layout import Layout


def parse(states: ContainerStates, filters: Sequence[str]) -> Callable[[Container], bool]:
    """Return the test for ``--filter``."""
    lookups = Lookups(
        container=states.find,
        family=lambda name: image_family(states.layout, name),
        networks=lambda word: network_words(states.layout, word),
    )
    return container_filter(filters, lookups)


def image_family(layout: Layout, name: str) -> set[str]:
    """Return the ids of an image and of its descendants, which begin with its layers."""
    from sandbox.store.images import ImageStore

    store = ImageStore(layout)
    try:
        head = store.find(name)
    except SandboxError:
        return set()
    depth = len(head.layers)
    return {head.id} | {
        image.id for image in store.all() if depth and image.layers[:depth] == head.layers
    }


def network_words(layout: Layout, word: str) -> set[str]:
    """Return *word*, and the names and ids of the networks with this name or start of id."""
    from sandbox.store.networks import NetworkStore

    return {word} | {
        text
        for network in NetworkStore(layout).all()
        if network.name == word or network.id.startswith(word)
        for text in (network.name, network.id)
    }

# SPDX-License-Identifier: MIT
"""``ps --filter``: what a filter asks about images and networks of the store.

Does not know: how a filter is read (`models.container_filters` does).
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
    """Return the ids of an image and of all that begin with its layers; none if it is unknown."""
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
    """Return what containers may call the network of this name, or of an id with this beginning."""
    from sandbox.store.networks import NetworkStore

    return {word} | {
        text
        for network in NetworkStore(layout).all()
        if network.name == word or network.id.startswith(word)
        for text in (network.name, network.id)
    }

# SPDX-License-Identifier: MIT
"""Other containers in a new container's network settings: ``container:NAME`` and links.

Must not know: networks. They are looked up when the container starts, as in Docker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import ContainerNotFound, UsageError
from sandbox.models.network import BRIDGE, HOST
from sandbox.models.record import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.models.container import ContainerConfig


def with_containers(
    config: ContainerConfig, find: Callable[[str], ContainerConfig]
) -> ContainerConfig:
    """Return the configuration with the ids of the containers that the user named."""
    network = config.network
    if network.joined:
        other = find(network.joined)
        if other.id == config.id:
            raise UsageError("cannot join own network")
        network = replace(network, mode=f"container:{other.id}")
        return replace(config, network=network, hostname=other.hostname)
    endpoints = []
    for item in network.endpoints:
        links = []
        for _, name, alias in item.links:
            try:
                found = find(name)
            except ContainerNotFound as exc:
                if item.network != BRIDGE:  # the container may be created later
                    links.append(("", name, alias))
                    continue
                raise UsageError(f"could not get container for {name}: {exc.message}") from exc
            if found.network.mode == HOST and item.network == BRIDGE:
                raise UsageError(
                    "conflicting options: host type networking can't be used with links. This "
                    "would result in undefined behavior"
                )
            links.append((found.id, found.name, alias))
        endpoints.append(replace(item, links=tuple(links)))
    return replace(config, network=replace(network, endpoints=tuple(endpoints)))

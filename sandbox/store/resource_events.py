# SPDX-License-Identifier: MIT
"""Events about the volumes and networks that a container uses: mounted, connected and so on."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.store import events
from sandbox.store.networks import NetworkStore

if TYPE_CHECKING:
    from sandbox.models.container import ContainerConfig
    from sandbox.store.layout import Layout


def tell_begin(layout: Layout, config: ContainerConfig) -> None:
    """Append the events before a container's start."""
    _tell_networks(layout, config, "connect")
    for mount in config.mounts:
        if mount.type == "volume":
            more = {
                "destination": mount.target,
                "driver": "local",
                "propagation": "",
                "read/write": "false" if mount.read_only else "true",
            }
            events.tell(layout, "volume", "mount", mount.name, container=config.id, **more)


def tell_end(layout: Layout, config: ContainerConfig) -> None:
    """Append the events after a container's end."""
    _tell_networks(layout, config, "disconnect")
    for mount in config.mounts:
        if mount.type == "volume":
            of = {"container": config.id, "driver": "local"}
            events.tell(layout, "volume", "unmount", mount.name, **of)


def _tell_networks(layout: Layout, config: ContainerConfig, action: str) -> None:
    store = NetworkStore(layout)
    for place in config.network.endpoints:
        with suppress(SandboxError):  # removed in the meantime
            network = store.find(place.network)
            of = {"container": config.id, "name": network.name, "type": network.driver}
            events.tell(layout, "network", action, network.id, **of)

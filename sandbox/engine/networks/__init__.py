# SPDX-License-Identifier: MIT
"""What can be done with networks: one method a verb.

Rules: a network can be removed while only containers that do not run know it, as in
Docker. Running containers change networks at once, others when they start.

Does not know: how results are shown.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.engine.creation import now
from sandbox.errors import Conflict, ContainerNotFound, NotFound, UsageError
from sandbox.models.network import BRIDGE, Network, NetworkWish, check_wish, find_network
from sandbox.models.record import Record, replace
from sandbox.store import events
from sandbox.store.networks import NetworkStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.engine.running import RunningVerbs
    from sandbox.models.container import Container, ContainerConfig
    from sandbox.models.endpoints import Endpoint
    from sandbox.runtime.network.members import Seat
    from sandbox.runtime.network.membership import Change

    _Base = RunningVerbs
else:
    _Base = object


class NetworkView(Record, frozen=True):
    """A network and the containers that run on it."""

    network: Network
    seats: tuple[Seat, ...]


class NetworkVerbs(_Base):
    """The part of `Engine` that is about networks."""

    @property
    def _networks(self) -> NetworkStore:
        return NetworkStore(self.layout)

    def create_network(self, wish: NetworkWish) -> Network:
        """Make a network."""
        check_wish(wish)
        with self._networks.locked():
            network = self._networks.create(wish, network_id=os.urandom(32).hex(), created=now())
        self._tell_network(network, "create")
        return network

    def networks(self) -> list[Network]:
        """Return every network, predefined ones first."""
        return self._networks.all()

    def network(self, name: str) -> NetworkView:
        """Return the network of this name or id, with who is on it."""
        network = self._networks.find(name)
        on_it = tuple(
            seat
            for seat in self.seats().values()
            if seat.is_held and not seat.shares and seat.on(network.id)
        )
        return NetworkView(network, on_it)

    def seats(self) -> dict[str, Seat]:
        """Return what running containers have on networks, by container id."""
        from sandbox.runtime.network.members import live_seats

        return live_seats(self.layout)

    def remove_network(self, name: str) -> Network:
        """Delete a network that no running container is on."""
        from sandbox.runtime.network import membership

        network = self._networks.find(name)
        if network.is_predefined:
            raise Conflict(f"{network.name} is a pre-defined network and cannot be removed")
        with membership.changing(self.layout) as change:
            members = change.members(network)
            if members:
                names = ", ".join(f'name:"{seat.name}" id:"{seat.id[:12]}"' for seat in members)
                raise Conflict(
                    f"error while removing network: network {network.name} has active "
                    f"endpoints ({names})"
                )
            self._networks.remove(network)
        self._tell_network(network, "destroy")
        return network

    def prune_networks(self, wanted: Callable[[Network], bool] = lambda _: True) -> list[str]:
        """Delete networks that no container knows; return their names.

        What killed containers have left of networks goes as well.
        """
        from sandbox.runtime import cleanup

        cleanup.sweep(self.layout)
        known = {item.network for c in self.containers() for item in c.config.network.endpoints}
        removed = []
        for network in self.networks():
            used = any(find_network([network], name) for name in known)
            if network.is_predefined or used or not wanted(network):
                continue
            with suppress(Conflict):
                self.remove_network(network.id)
                removed.append(network.name)
        events.tell_prune(self.layout, "network")
        return removed

    def connect(self, network_name: str, container_name: str, wanted: Endpoint) -> None:
        """Put a container on one more network; at once if it runs."""
        network = self._networks.find(network_name)
        container = self.container(container_name)
        config = container.config
        _check_connect(network, container, wanted)
        endpoint = replace(
            wanted,
            network=network.name,
            links=tuple(self._link(network, name, alias) for _, name, alias in wanted.links),
        )

        def decide(current: ContainerConfig, _taken: frozenset[str]) -> ContainerConfig:
            before = current.network.endpoints
            if any(find_network([network], item.network) for item in before):
                raise Conflict(
                    f"endpoint with name {config.name} already exists in network {network.name}"
                )
            return replace(current, network=replace(current.network, endpoints=(*before, endpoint)))

        self._change_live(container, lambda change, seat: change.connect(seat, endpoint))
        self._told(self._containers.change(container, decide))
        self._tell_network(network, "connect", container=config.id)

    def _link(self, network: Network, name: str, alias: str) -> tuple[str, str, str]:
        """Return a link; on a network with names whoever has the name by then is meant."""
        try:
            return self.container(name).config.id, name, alias
        except ContainerNotFound:
            if network.has_names:
                return "", name, alias
            raise

    def disconnect(self, network_name: str, container_name: str, *, force: bool = False) -> None:
        """Take a container off a network; at once if it runs."""
        network = self._networks.find(network_name)
        try:
            container = self.container(container_name)
        except ContainerNotFound:
            if force:
                return
            raise
        config = container.config
        if config.network.mode == "host" or network.driver == "host":
            raise Conflict("container cannot be disconnected from host network")
        if not any(find_network([network], item.network) for item in config.network.endpoints):
            raise Conflict(f"container {config.id} is not connected to network {network.name}")

        def decide(current: ContainerConfig, _taken: frozenset[str]) -> ContainerConfig:
            rest = tuple(
                item
                for item in current.network.endpoints
                if find_network([network], item.network) is None
            )
            return replace(current, network=replace(current.network, endpoints=rest))

        self._change_live(container, lambda change, seat: change.disconnect(seat, network))
        self._told(self._containers.change(container, decide))
        self._tell_network(network, "disconnect", container=config.id)

    def remove_link(self, container_name: str, alias: str) -> None:
        """Take a name that ``--link`` gave to another container; at once if it runs."""
        container = self.container(container_name)

        def decide(current: ContainerConfig, _taken: frozenset[str]) -> ContainerConfig:
            before = current.network.endpoints
            after = tuple(
                replace(item, links=tuple(link for link in item.links if link[2] != alias))
                for item in before
            )
            if after == before:
                raise NotFound(f"no such link: /{current.name}/{alias}")
            return replace(current, network=replace(current.network, endpoints=after))

        changed = self._containers.change(container, decide)
        self._change_live(container, lambda change, seat: change.unlink(seat, alias))
        self._told(changed)

    def _change_live(self, container: Container, act: Callable[[Change, Seat], None]) -> None:
        from sandbox.runtime.network import membership

        if not container.state.is_running:
            return
        with membership.changing(self.layout) as change:
            seat = change.register.get(container.config.id)
            if seat is not None:
                act(change, seat)

    def _tell_network(self, network: Network, action: str, **more: str) -> None:
        driver = {"name": network.name, "type": network.driver}
        events.tell(self.layout, "network", action, network.id, **driver, **more)


def _check_connect(network: Network, container: Container, wanted: Endpoint) -> None:
    config = container.config
    if network.driver != "bridge":
        raise Conflict(f"container cannot be connected to {network.driver} network")
    if config.network.mode in ("host", "none"):
        raise Conflict(
            "container cannot be connected to multiple networks with one of the networks in "
            f"{'host' if config.network.mode == 'host' else 'private (none)'} mode"
        )
    if config.network.joined:
        raise Conflict(
            "container sharing network namespace with another container or host cannot be "
            "connected to any other network"
        )
    if network.name == BRIDGE and wanted.aliases:
        raise UsageError(
            "network-scoped alias is supported only for containers in user defined networks"
        )

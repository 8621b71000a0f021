# SPDX-License-Identifier: MIT
"""`engine.networks`: create and remove networks, connect containers to them.

Rules: as in Docker, a network can be removed if no running container is on it; stopped containers
do not count. A running container joins and leaves a network at once, others when they start.

Must not know: how results are shown.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.engine.containers import supervisor
from sandbox.engine.containers.state import ContainerStates
from sandbox.engine.pruned import Pruned
from sandbox.errors import Conflict, ContainerNotFound, NotFound, UsageError
from sandbox.models.network import BRIDGE, Network, NetworkWish, check_wish, find_network
from sandbox.models.record import replace
from sandbox.models.timestamps import now
from sandbox.store import events
from sandbox.store.networks import NetworkStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.models.container import Container, ContainerConfig
    from sandbox.models.endpoints import Endpoint
    from sandbox.runtime.network.members import Member
    from sandbox.runtime.network.membership import Change
    from sandbox.store.layout import Layout


class Networks:
    """The networks of one store, and the containers on them."""

    def __init__(self, layout: Layout) -> None:
        """Use the networks and containers of *layout*."""
        self._layout = layout
        self._store = NetworkStore(layout)
        self._containers = ContainerStates(layout)

    def create(self, wish: NetworkWish) -> Network:
        """Make a network; without a subnet in the wish, choose a free one.

        Raises `Conflict` if the name or the subnet is taken, and `UsageError` for an invalid wish.
        """
        check_wish(wish)
        with self._store.locked():
            network = self._store.create(wish, network_id=os.urandom(32).hex(), created=now())
        self._tell(network, "create")
        return network

    def get(self, name: str) -> Network:
        """Return the network of this name, id or start of an id. Raises `NetworkNotFound`."""
        return self._store.find(name)

    def inspect(self, name: str) -> dict[str, Any]:
        """Return the JSON of ``docker network inspect``. Raises `NetworkNotFound`."""
        from sandbox.engine.networks.inspect import describe_network

        network = self.get(name)
        return describe_network(network, self.members(network))

    def members(self, network: Network) -> tuple[Member, ...]:
        """Return the running containers on a network, with their addresses."""
        return tuple(
            member
            for member in self.memberships().values()
            if member.is_held and not member.shares and member.on(network.id)
        )

    def memberships(self) -> dict[str, Member]:
        """Return the networks, addresses and ports of running containers, by container id."""
        from sandbox.runtime.network.members import live_members

        return live_members(self._layout)

    def remove(self, name: str) -> Network:
        """Delete a network. Raises `Conflict` if it is predefined or has running containers."""
        from sandbox.runtime.network import membership

        network = self.get(name)
        if network.is_predefined:
            raise Conflict(f"{network.name} is a pre-defined network and cannot be removed")
        with membership.changing(self._layout) as change:
            members = change.members(network)
            if members:
                names = ", ".join(
                    f'name:"{member.name}" id:"{member.id[:12]}"' for member in members
                )
                raise Conflict(
                    f"error while removing network: network {network.name} has active "
                    f"endpoints ({names})"
                )
            self._store.remove(network)
        self._tell(network, "destroy")
        return network

    def prune(self, filters: Sequence[str] = ()) -> Pruned:
        """Delete the networks that no container is configured for.

        Also remove what killed containers left behind on networks. *filters* are those of
        ``network prune --filter``.
        """
        from sandbox.engine.networks.filters import parse_prune
        from sandbox.runtime import cleanup

        matches = parse_prune(filters)
        cleanup.sweep(self._layout)
        known = {
            item.network for c in self._containers.all() for item in c.config.network.endpoints
        }
        pruned = Pruned()
        for network in self._store.all():
            used = any(find_network([network], name) for name in known)
            if network.is_predefined or used or not matches(network):
                continue
            with suppress(Conflict):
                self.remove(network.id)
                pruned.networks.append(network.name)
        events.tell_prune(self._layout, "network")
        return pruned

    def connect(self, network_name: str, container_name: str, wanted: Endpoint) -> None:
        """Put a container on one more network, at once if the container runs.

        Raises `Conflict` if the container is on the network already, or if it has the network of
        the host, of another container, or none.
        """
        network = self.get(network_name)
        container = self._containers.find(container_name)
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

        self._change_live(container, lambda change, member: change.connect(member, endpoint))
        supervisor.change(self._containers, container, decide)
        self._tell(network, "connect", container=config.id)

    def _link(self, network: Network, name: str, alias: str) -> tuple[str, str, str]:
        """Return a link; on a network with names, the other container may be created later."""
        try:
            return self._containers.find(name).config.id, name, alias
        except ContainerNotFound:
            if network.has_names:
                return "", name, alias
            raise

    def disconnect(self, network_name: str, container_name: str, *, force: bool = False) -> None:
        """Take a container off a network, at once if the container runs.

        Raises `Conflict` if the container is not on the network, and `ContainerNotFound` unless
        *force* is set.
        """
        network = self.get(network_name)
        try:
            container = self._containers.find(container_name)
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

        self._change_live(container, lambda change, member: change.disconnect(member, network))
        supervisor.change(self._containers, container, decide)
        self._tell(network, "disconnect", container=config.id)

    def remove_link(self, container_name: str, alias: str) -> None:
        """Remove a link by its *alias*, at once if the container runs. Raises `NotFound`."""
        container = self._containers.find(container_name)

        def decide(current: ContainerConfig, _taken: frozenset[str]) -> ContainerConfig:
            before = current.network.endpoints
            after = tuple(
                replace(item, links=tuple(link for link in item.links if link[2] != alias))
                for item in before
            )
            if after == before:
                raise NotFound(f"no such link: /{current.name}/{alias}")
            return replace(current, network=replace(current.network, endpoints=after))

        changed = self._containers.store.change(container, decide)
        self._change_live(container, lambda change, member: change.unlink(member, alias))
        supervisor.reread(changed)

    def _change_live(self, container: Container, act: Callable[[Change, Member], None]) -> None:
        from sandbox.runtime.network import membership

        if not container.state.is_running:
            return
        with membership.changing(self._layout) as change:
            member = change.register.get(container.config.id)
            if member is not None:
                act(change, member)

    def _tell(self, network: Network, action: str, **more: str) -> None:
        driver = {"name": network.name, "type": network.driver}
        events.tell(self._layout, "network", action, network.id, **driver, **more)

    def list(self, filters: Sequence[str] = ()) -> list[Network]:
        """Return the networks that pass the filters, predefined ones first.

        *filters* are those of ``network ls --filter``, as in ``driver=bridge``.
        """
        from sandbox.engine.networks.filters import parse

        every = self._store.all()
        matches = parse(filters, lambda: {item.id for item in every if self.members(item)})
        return [item for item in every if matches(item)]


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

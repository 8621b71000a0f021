# SPDX-License-Identifier: MIT
"""Choose the addresses and ports of a container that starts.

Rules: every refusal happens here, in Docker's words, before anything changes. This module
writes no file; a bind proves that an address or a port is free.

Does not know: who learns of the result (see `membership`).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sandbox.errors import NetworkNotFound, RuntimeFailed, UsageError
from sandbox.models.addresses import format_address, isolated_subnet, parse_address
from sandbox.models.endpoints import GATEWAY_NAME, HOST_ALIAS, split_allowed_host
from sandbox.models.network import HOST_BINDING, find_network
from sandbox.models.ports import Publication, parse_exposed
from sandbox.models.record import Record, replace
from sandbox.native.network import MAX_ADDRESSES, MAX_ALLOWED, Allowed
from sandbox.runtime.network import host_ports, members
from sandbox.runtime.network.members import LiveEndpoint, Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.models.container import ContainerConfig
    from sandbox.models.endpoints import Endpoint
    from sandbox.models.network import Network


class Keep:
    """The sockets that reserve a container's base address and ports until it ends."""

    def __init__(self, address: host_ports.Guard, ports: host_ports.Held) -> None:
        """Own both reservations."""
        self._address = address
        self.ports = ports

    def close(self) -> None:
        """Release the address and the ports."""
        self.ports.close()
        self._address.close()


def choose(
    draft: Member, config: ContainerConfig, networks: Sequence[Network], present: Sequence[Member]
) -> tuple[Member, Keep]:
    """Return the member, without its number, and the reservation of its address and ports."""
    wanted = config.network.endpoints
    if len(wanted) > MAX_ADDRESSES:
        raise RuntimeFailed(f"a container can be on {MAX_ADDRESSES} networks at most")
    found = [_find(networks, item.network) for item in wanted]
    taken = members.addresses_of(present)
    with ExitStack() as stack:
        ports = _ports(config, found, present)
        stack.callback(ports.close)
        if not found:
            address, guard = _lonely(taken)
            stack.pop_all()
            return replace(draft, address=address, egress="none"), Keep(guard, ports)
        first, guard = _guarded(found[0], wanted[0], taken)
        stack.callback(guard.close)
        endpoints = [first]
        for network, item in zip(found[1:], wanted[1:], strict=True):
            taken.add(endpoints[-1].address)
            endpoints.append(endpoint_on(network, item, taken))
        _check_links(wanted, present)
        egress = "listed" if config.network.allowed_hosts else egress_on(endpoints, networks)
        member = replace(
            draft,
            address=first.address,
            endpoints=tuple(endpoints),
            published=ports.published,
            egress=egress,
        )
        stack.pop_all()
    return member, Keep(guard, ports)


def _find(networks: Sequence[Network], name: str) -> Network:
    network = find_network(networks, name)
    if network is None:
        raise NetworkNotFound(f"network {name} not found")
    if network.driver != "bridge":
        raise UsageError(
            "conflicting options: cannot attach both user-defined and non-user-defined "
            "network-modes"
        )
    return network


def egress_on(endpoints: Iterable[LiveEndpoint], networks: Iterable[Network]) -> str:
    """Return ``free`` if a container on these networks reaches the outside, else ``none``."""
    open_ones = {network.id for network in networks if not network.internal}
    return "free" if any(item.network in open_ones for item in endpoints) else "none"


# ---- addresses ---------------------------------------------------------------------------


def _guarded(
    network: Network, wanted: Endpoint, taken: set[str]
) -> tuple[LiveEndpoint, host_ports.Guard]:
    """Return the first endpoint and the socket that reserves its address."""
    refused: set[str] = set()
    while True:
        endpoint = endpoint_on(network, wanted, taken | refused)
        keep = host_ports.guard(endpoint.address)
        if keep is not None:
            return endpoint, keep
        refused.add(endpoint.address)  # another user or another store has it


def endpoint_on(network: Network, wanted: Endpoint, taken: set[str]) -> LiveEndpoint:
    """Return an endpoint on a network with a free address."""
    assert network.subnet is not None
    chosen = wanted.address and not network.only_shows(wanted.address)
    address = _asked_for(network, wanted, taken) if chosen else _free(network, taken)
    return LiveEndpoint(
        network=network.id,
        number=network.number,
        name=network.name,
        address=address,
        prefix=network.subnet.prefix,
        gateway="" if network.internal else format_address(network.gateway),
        aliases=wanted.aliases,
        links=tuple((container or name, alias) for container, name, alias in wanted.links),
        has_names=network.has_names,
        mac=wanted.mac,
    )


def _asked_for(network: Network, wanted: Endpoint, taken: set[str]) -> str:
    assert network.subnet is not None
    number = parse_address(wanted.address)
    inside = number is not None and number in network.subnet
    if not inside or number in (network.subnet.base, network.subnet.last):
        raise RuntimeFailed(
            f"invalid config for network {network.name}: invalid endpoint settings: no "
            f"configured subnet contains IP address {wanted.address}"
        )
    if wanted.address in taken or number == network.gateway:
        raise RuntimeFailed("Address already in use")
    return wanted.address


def _free(network: Network, taken: set[str]) -> str:
    assert network.subnet is not None
    for number in (network.ip_range or network.subnet).hosts():
        if number != network.gateway and format_address(number) not in taken:
            return format_address(number)
    raise RuntimeFailed(
        f"no available IPv4 addresses on this network's address pools: {network.name} "
        f"({network.id})"
    )


def _lonely(taken: set[str]) -> tuple[str, host_ports.Guard]:
    for number in isolated_subnet(os.getuid()).hosts():
        address = format_address(number)
        keep = None if address in taken else host_ports.guard(address)
        if keep is not None:
            return address, keep
    raise RuntimeFailed("no address is left for one more container without a network")


def _check_links(wanted: Sequence[Endpoint], present: Sequence[Member]) -> None:
    """Refuse a link to a container id that does not run; a link to a name may wait."""
    running = {member.id for member in present}
    for item in wanted:
        for container, name, alias in item.links:
            if container and container not in running:
                raise RuntimeFailed(f"Cannot link to a non running container: /{name} AS /{alias}")


# ---- ports -------------------------------------------------------------------------------


def _ports(
    config: ContainerConfig, networks: Sequence[Network], present: Sequence[Member]
) -> host_ports.Held:
    open_ones = [network for network in networks if not network.internal]
    if not open_ones:
        return host_ports.Held()  # an internal network publishes nothing, as in Docker
    wishes = list(config.network.publications)
    if config.network.publish_all:
        known = {wish.port for wish in wishes}
        exposed = [port for text in config.exposed_ports for port in parse_exposed(text)]
        wishes += [Publication(port) for port in exposed if port not in known]
    taken = [row for member in present for row in member.published]
    default = open_ones[0].options.get(HOST_BINDING, "")
    return host_ports.settle(wishes, taken, default_ip=default)


# ---- --allow-host ------------------------------------------------------------------------


class AllowedHosts(Record, frozen=True):
    """The hosts that ``--allow-host`` permits, and their lines of the hosts file.

    The network `GATEWAY_NAME` stands for the gateways, which are chosen later.
    """

    rows: tuple[Allowed, ...] = ()
    names: tuple[tuple[str, str], ...] = ()


def resolve_allowed(texts: Iterable[str], own: Iterable[tuple[str, str]] = ()) -> AllowedHosts:
    """Resolve the names of ``--allow-host NAME[:PORT]``; addresses and subnets stay as given.

    *own* holds the names that the container's hosts file has anyway, with their addresses.
    """
    rows: list[Allowed] = []
    names: list[tuple[str, str]] = []
    known = {HOST_ALIAS: GATEWAY_NAME, **dict(own)}
    for text in texts:
        name, port = split_allowed_host(text)
        if name in known or _is_address(name):
            rows.append(Allowed(known.get(name, name), port))
            continue
        for address in _addresses(name):
            rows.append(Allowed(address, port))
            names.append((address, name))
    return AllowedHosts(tuple(rows), tuple(names))


def at_gateways(rows: Iterable[Allowed], endpoints: Iterable[LiveEndpoint]) -> tuple[Allowed, ...]:
    """Return the rows with the gateways' addresses in place of `GATEWAY_NAME`."""
    gateways = [item.gateway for item in endpoints if item.gateway]
    found = [
        Allowed(address, row.port)
        for row in rows
        for address in (gateways if row.network == GATEWAY_NAME else [row.network])
    ]
    if len(found) > MAX_ALLOWED:
        raise RuntimeFailed(
            f"--allow-host: the names have {len(found)} addresses, {MAX_ALLOWED} is the most"
        )
    return tuple(found)


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _addresses(name: str) -> list[str]:
    import socket

    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise RuntimeFailed(f"--allow-host {name}: cannot be resolved: {exc}") from exc
    return list(dict.fromkeys(str(item[4][0]) for item in found))

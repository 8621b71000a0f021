# SPDX-License-Identifier: MIT
"""NetworkSettings of a container's inspect object, and the network columns of ``ps``.

Rules: pure. A field without a value is shown empty, never invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.models.addresses import mac_of, parse_address
from sandbox.models.network import HOST, NONE, find_network
from sandbox.models.ports import Port, parse_exposed, show_ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.models.container import Container
    from sandbox.models.endpoints import Endpoint
    from sandbox.models.network import Network
    from sandbox.runtime.network.members import LiveEndpoint, Member


def network_settings(
    container: Container, member: Member | None, networks: Iterable[Network]
) -> dict[str, Any]:
    """Return NetworkSettings of a container's inspect object."""
    member = member if container.state.is_running else None
    config = container.config
    known = list(networks)
    first = member.endpoints[0] if member and member.endpoints and not member.shares else None
    shown: dict[str, Any]
    if config.network.mode in (HOST, NONE):
        network = find_network(known, config.network.mode)
        entry = _endpoint(None, None, network.id if network else "", config.id)
        shown = {config.network.mode: entry}
    else:
        shown = _endpoints(container, member, known)
    return {
        "Bridge": "",
        "SandboxID": config.id if member else "",
        "SandboxKey": "",
        "Ports": _ports(container, member),
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": endpoint_id(config.id, first.network, first.address) if first else "",
        "Gateway": first.gateway if first else "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": first.address if first else "",
        "IPPrefixLen": first.prefix if first else 0,
        "IPv6Gateway": "",
        "MacAddress": mac_address(first) if first else "",
        "Networks": shown,
    }


def _endpoints(container: Container, member: Member | None, known: list[Network]) -> dict[str, Any]:
    shown = {}
    for item in container.config.network.endpoints:
        network = find_network(known, item.network)
        place = member.on(network.id) if member and network else None
        name = network.name if network else item.network
        identity = network.id if network else ""
        shown[name] = _endpoint(item, place, identity, container.config.id)
    return shown


def _endpoint(
    wanted: Endpoint | None, place: LiveEndpoint | None, network_id: str, container_id: str
) -> dict[str, Any]:
    links = [f"{name}:{alias}" for _, name, alias in wanted.links] if wanted else []
    config = dict(wanted.asked) if wanted else {}
    if wanted and wanted.address:
        config["IPv4Address"] = wanted.address
    names = [*wanted.aliases] if wanted else []
    return {
        "IPAMConfig": config or None,
        "Links": links or None,
        "Aliases": list(names) or None,
        "MacAddress": mac_address(place) if place else (wanted.mac if wanted else ""),
        "DriverOpts": (wanted.options if wanted else None) or None,
        "GwPriority": 0,
        "NetworkID": network_id,
        "EndpointID": endpoint_id(container_id, network_id, place.address) if place else "",
        "Gateway": place.gateway if place else "",
        "IPAddress": place.address if place else "",
        "IPPrefixLen": place.prefix if place else 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": list(dict.fromkeys([*names, container_id[:12]])) if place else None,
    }


def _ports(container: Container, member: Member | None) -> dict[str, Any]:
    if member is None:
        return {}
    shown: dict[str, Any] = {str(port): None for port in exposed_of(container)}
    for row in member.published:
        place = {"HostIp": row.host_ip, "HostPort": str(row.host_port)}
        shown[str(row.port)] = [*(shown.get(str(row.port)) or ()), place]
    return shown


def exposed_of(container: Container) -> list[Port]:
    """Return the exposed ports of a container."""
    return [port for text in container.config.exposed_ports for port in parse_exposed(text)]


def port_bindings(container: Container) -> dict[str, Any]:
    """Return HostConfig.PortBindings: the ports that the user asked to publish."""
    shown: dict[str, Any] = {}
    for wish in container.config.network.publications:
        port = str(wish.first or "") if wish.first == wish.last else f"{wish.first}-{wish.last}"
        shown.setdefault(str(wish.port), []).append({"HostIp": wish.host_ip, "HostPort": port})
    return shown


def ports_text(container: Container, members: Mapping[str, Member]) -> str:
    """Return the column PORTS of `ps`."""
    member = members.get(container.config.id)
    if not container.state.is_running or container.config.network.mode == "host":
        return ""
    return show_ports(member.published if member else (), exposed_of(container))


def networks_text(container: Container) -> str:
    """Return the field Networks of `ps`."""
    network = container.config.network
    if network.mode in ("host", "none"):
        return network.mode
    return ",".join(item.network for item in network.endpoints)


def endpoint_id(container_id: str, network_id: str, address: str) -> str:
    """Return the id of a running container's endpoint on a network."""
    import hashlib  # it loads OpenSSL, and a list of containers does not need it

    return hashlib.sha256(f"{container_id} {network_id} {address}".encode()).hexdigest()


def mac_address(place: LiveEndpoint) -> str:
    """Return the hardware address of a running container's endpoint on a network."""
    return place.mac or mac_of(parse_address(place.address) or 0)

# SPDX-License-Identifier: MIT
"""What Docker's JSON says of networks and of containers on them, and ``--filter``.

Rules: pure, but for the clock of ``until``. What is not there is shown empty, never
invented.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.errors import UsageError
from sandbox.models.addresses import format_address, mac_of, parse_address
from sandbox.models.container_filters import fits_pattern
from sandbox.models.image_filters import enough, parse_filters, parse_truth
from sandbox.models.network import HOST, NONE, find_network
from sandbox.models.ports import Port, parse_exposed, show_ports
from sandbox.models.timestamps import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.engine.networks import NetworkVerbs, NetworkView
    from sandbox.models.container import Container
    from sandbox.models.endpoints import Endpoint
    from sandbox.models.network import Network
    from sandbox.runtime.network.members import LiveEndpoint, Seat


def describe_network(view: NetworkView) -> dict[str, Any]:
    """Return the network's inspect object."""
    network = view.network
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": network.created,
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": True,
        "EnableIPv6": network.asked.get("EnableIPv6", False),
        "IPAM": {"Driver": "default", "Options": None, "Config": _pools(network)}
        | network.asked.get("IPAM", {}),
        **({"Pools": _pools(network)} if "Config" in network.asked.get("IPAM", {}) else {}),
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {seat.id: _member(seat, network) for seat in view.seats},
        "Options": dict(network.options),
        "Labels": dict(network.labels),
    }


def _pools(network: Network) -> list[dict[str, str]]:
    if network.subnet is None:
        return []
    pool = {"Subnet": str(network.subnet), "Gateway": format_address(network.gateway)}
    if network.ip_range is not None:
        pool["IPRange"] = str(network.ip_range)
    return [pool]


def _member(seat: Seat, network: Network) -> dict[str, str]:
    place = seat.on(network.id)
    assert place is not None
    return {
        "Name": seat.name,
        "EndpointID": endpoint_id(seat.id, network.id, place.address),
        "MacAddress": _mac(place),
        "IPv4Address": f"{place.address}/{place.prefix}",
        "IPv6Address": "",
    }


def endpoint_id(container_id: str, network_id: str, address: str) -> str:
    """Return the id of a running container's place on a network."""
    import hashlib  # loads OpenSSL, which a list of containers does without

    return hashlib.sha256(f"{container_id} {network_id} {address}".encode()).hexdigest()


def _mac(place: LiveEndpoint) -> str:
    return place.mac or mac_of(parse_address(place.address) or 0)


# ---- containers --------------------------------------------------------------------------


def network_settings(
    container: Container, seat: Seat | None, networks: Iterable[Network]
) -> dict[str, Any]:
    """Return NetworkSettings of a container's inspect object."""
    seat = seat if container.state.is_running else None
    config = container.config
    known = list(networks)
    first = seat.endpoints[0] if seat and seat.endpoints and not seat.shares else None
    shown: dict[str, Any]
    if config.network.mode in (HOST, NONE):
        network = find_network(known, config.network.mode)
        entry = _endpoint(None, None, network.id if network else "", config.id)
        shown = {config.network.mode: entry}
    else:
        shown = _endpoints(container, seat, known)
    return {
        "Bridge": "",
        "SandboxID": config.id if seat else "",
        "SandboxKey": "",
        "Ports": _ports(container, seat),
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
        "MacAddress": _mac(first) if first else "",
        "Networks": shown,
    }


def _endpoints(container: Container, seat: Seat | None, known: list[Network]) -> dict[str, Any]:
    shown = {}
    for item in container.config.network.endpoints:
        network = find_network(known, item.network)
        place = seat.on(network.id) if seat and network else None
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
        "MacAddress": _mac(place) if place else (wanted.mac if wanted else ""),
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


def _ports(container: Container, seat: Seat | None) -> dict[str, Any]:
    if seat is None:
        return {}
    shown: dict[str, Any] = {str(port): None for port in exposed_of(container)}
    for row in seat.published:
        place = {"HostIp": row.host_ip, "HostPort": str(row.host_port)}
        shown[str(row.port)] = [*(shown.get(str(row.port)) or ()), place]
    return shown


def exposed_of(container: Container) -> list[Port]:
    """Return the ports that a container says it listens on."""
    return [port for text in container.config.exposed_ports for port in parse_exposed(text)]


def port_bindings(container: Container) -> dict[str, Any]:
    """Return HostConfig.PortBindings: what was asked for."""
    shown: dict[str, Any] = {}
    for wish in container.config.network.publications:
        port = str(wish.first or "") if wish.first == wish.last else f"{wish.first}-{wish.last}"
        shown.setdefault(str(wish.port), []).append({"HostIp": wish.host_ip, "HostPort": port})
    return shown


def ports_text(container: Container, seats: Mapping[str, Seat]) -> str:
    """Return the column PORTS of `ps`."""
    seat = seats.get(container.config.id)
    if not container.state.is_running or container.config.network.mode == "host":
        return ""
    return show_ports(seat.published if seat else (), exposed_of(container))


def networks_text(container: Container) -> str:
    """Return the field Networks of `ps`."""
    network = container.config.network
    if network.mode in ("host", "none"):
        return network.mode
    return ",".join(item.network for item in network.endpoints)


# ---- filters -----------------------------------------------------------------------------

_KEYS = ("dangling", "driver", "id", "label", "name", "scope", "type")


def parse_network_filters(
    engine: NetworkVerbs, filters: Iterable[str]
) -> Callable[[Network], bool]:
    """Return the test of ``network ls --filter``: any value of a key, every label and key."""
    wanted = parse_filters(filters, _KEYS)
    for value in wanted.get("type", ()):
        if value not in ("custom", "builtin"):
            raise UsageError(f"invalid filter: 'type'='{value}'")
    used: set[str] = set()
    if "dangling" in wanted:
        for value in wanted["dangling"]:
            parse_truth("dangling", value)
        for network in engine.networks():
            if engine.network(network.id).seats:
                used.add(network.id)
    return lambda item: all(
        enough(key)(_fits(item, key, value, used) for value in values)
        for key, values in wanted.items()
    )


def _fits(item: Network, key: str, value: str, used: set[str]) -> bool:
    if key == "label":
        return _has_label(item, value)
    if key == "dangling":
        is_idle = not item.is_predefined and item.id not in used
        return parse_truth("dangling", value) == is_idle
    tests = {
        "name": fits_pattern(value, item.name),
        "id": item.id.startswith(value),
        "driver": item.driver == value,
        "scope": value == "local",
        "type": (value == "builtin") == item.is_predefined,
    }
    return tests[key]


def _has_label(item: Network, value: str) -> bool:
    name, equals, wanted = value.partition("=")
    return name in item.labels and (not equals or item.labels[name] == wanted)


def parse_prune_filters(filters: Iterable[str]) -> Callable[[Network], bool]:
    """Return the test of ``network prune --filter``: label, label!, until."""
    pairs = [
        (text.replace("label!=", "label!", 1) if text.startswith("label!=") else text)
        for text in filters
    ]
    unwanted = [text.removeprefix("label!") for text in pairs if text.startswith("label!")]
    wanted = parse_filters((t for t in pairs if not t.startswith("label!")), ("label", "until"))
    moments = [parse_moment(text, time.time()) for text in wanted.get("until", ())]

    def fits(item: Network) -> bool:
        created = parse_moment(item.created, 0)
        return (
            all(_has_label(item, value) for value in wanted.get("label", ()))
            and not any(_has_label(item, value) for value in unwanted)
            and all(created < moment for moment in moments)
        )

    return fits

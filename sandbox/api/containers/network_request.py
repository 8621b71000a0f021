# SPDX-License-Identifier: MIT
"""Parse the network part of the JSON of a new container. Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.api.bodies import EndpointBody, HostNetworkBody, PortBody
from sandbox.api.errors import BadRequest
from sandbox.models.addresses import LOOPBACK_NET, parse_address
from sandbox.models.endpoints import (
    Endpoint,
    NetworkConfig,
    NetworkFlags,
    check_address,
    check_mac,
    parse_extra_host,
    parse_link,
)
from sandbox.models.network import BRIDGE, NONE, find_network
from sandbox.models.ports import Publication, check_host_ip, merge_publications, parse_exposed
from sandbox.models.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.api.bodies import ContainerBody
    from sandbox.models.network import Network

NO_EFFECT = "has no effect: see docs/docker-compat.md"


def network_of(body: ContainerBody) -> NetworkFlags:
    """Return the network part of the engine's request."""
    host = _convert(body.host_config or {}, HostNetworkBody, "HostConfig")
    wanted = (body.networking_config or {}).get("EndpointsConfig") or {}
    mode = NONE if body.network_disabled else (host.network_mode or "")
    if mode in ("", "default"):
        mode = next(iter(wanted), BRIDGE)
    others = [name for name in wanted if name != mode and not (mode == BRIDGE == name)]
    endpoints = {name: _endpoint(wanted.get(name)) for name in (mode, *others)}
    first = endpoints[mode]
    if body.mac_address and first.mac_address not in (None, "", body.mac_address):
        raise BadRequest(
            "the container-wide MAC address must match the endpoint-specific MAC address for "
            "the main network, or be left empty"
        )
    for text in host.dns or ():
        if parse_address(text) is None and ":" not in text:
            raise BadRequest(f"invalid DNS address: {text}")
    return NetworkFlags(
        networks=tuple(_place(name, item) for name, item in endpoints.items()),
        mac=check_mac(body.mac_address) if body.mac_address else "",
        links=tuple(host.links or ()) + tuple(first.links or ()),
        exposed=tuple(body.exposed_ports or ()),
        hostname=bool(body.hostname) and mode.startswith("container:"),
        config=NetworkConfig(
            publications=_publications(host.port_bindings or {}),
            publish_all=bool(host.publish_all_ports),
            dns=tuple(host.dns or ()),
            dns_search=tuple(host.dns_search or ()),
            dns_options=tuple(host.dns_options or ()),
            extra_hosts=tuple(parse_extra_host(text) for text in host.extra_hosts or ()),
        ),
    )


def _convert(data: Any, kind: Any, what: str) -> Any:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as exc:
        raise BadRequest(f"invalid JSON: {what}: {exc}") from None


def _endpoint(data: Any) -> EndpointBody:
    found: EndpointBody = _convert(data or {}, EndpointBody, "EndpointsConfig")
    return found


def endpoint_of(name: str, data: Any) -> Endpoint:
    """Return an endpoint on the network *name*, with its links."""
    item = _endpoint(data)
    links = tuple(("", *parse_link(text)) for text in item.links or ())
    return replace(_place(name, item), links=links)


def _place(name: str, item: EndpointBody) -> Endpoint:
    config = item.ip_amconfig or {}
    for alias in item.aliases or ():
        if not alias or any(char.isspace() for char in alias):
            raise BadRequest(f"invalid alias: {alias!r}")
    six, local = config.get("IPv6Address"), config.get("LinkLocalIPs")
    if six:
        _check_six(six)
    return Endpoint(
        name,
        tuple(item.aliases or ()),
        check_address(config["IPv4Address"]) if config.get("IPv4Address") else "",
        mac=check_mac(item.mac_address) if item.mac_address else "",
        asked=({"IPv6Address": six} if six else {}) | ({"LinkLocalIPs": local} if local else {}),
        options=item.driver_opts or {},
    )


def _check_six(text: Any) -> None:
    try:
        ipaddress.IPv6Address(str(text))
    except ValueError:
        raise BadRequest(f"invalid IPv6 address: {text}") from None


def shown_only(endpoints: Iterable[Endpoint], networks: Sequence[Network]) -> list[str]:
    """Return a warning for each setting of an endpoint that has no effect."""
    told = []
    for item in endpoints:
        network = find_network(networks, item.network)
        names = [*item.asked, *(["DriverOpts"] if item.options else [])]
        if network is not None and item.address and network.only_shows(item.address):
            names.append("IPv4Address")
        told += [f"{name} on {item.network} {NO_EFFECT}" for name in names]
    return told


def split_pools(ipam: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the pool of a new network, and the pools that are only shown.

    >>> split_pools({"Config": [{"Subnet": "127.50.0.0/24"}]})
    ({'Subnet': '127.50.0.0/24'}, [])
    >>> split_pools({"Config": [{"Subnet": "10.1.0.0/16"}]})
    ({}, [{'Subnet': '10.1.0.0/16'}])
    """
    pools = [
        pool for pool in ipam.get("Config") or () if isinstance(pool, dict) and any(pool.values())
    ]
    if not pools:
        return {}, []
    if len(pools) == 1 and not pools[0].get("AuxiliaryAddresses"):
        base = parse_address(str(pools[0].get("Subnet")).partition("/")[0])
        if not pools[0].get("Subnet") or (base is not None and base >> 24 == LOOPBACK_NET >> 24):
            return pools[0], []
    for pool in pools:
        _check_pool(pool)
    return {}, [{key: value for key, value in pool.items() if value} for pool in pools]


def _check_pool(pool: Mapping[str, Any]) -> None:
    """Refuse an invalid pool in Docker's words."""
    try:
        subnet = ipaddress.ip_network(str(pool.get("Subnet") or ""), strict=False)
    except ValueError:
        raise BadRequest(f"invalid CIDR address: {pool.get('Subnet')}") from None
    places = {"gateway": pool.get("Gateway"), "range": pool.get("IPRange")}
    places |= pool.get("AuxiliaryAddresses") or {}
    for name, text in places.items():
        try:
            inside = not text or ipaddress.ip_interface(str(text)).ip in subnet
        except ValueError:
            raise BadRequest(f"invalid IP address: {text}") from None
        if not inside:
            raise BadRequest(f"no matching subnet for {name} {text}")


def _publications(bindings: Mapping[str, Any]) -> tuple[Publication, ...]:
    found = []
    for text, wishes in bindings.items():
        for port in parse_exposed(text):
            rows: list[PortBody] = _convert(wishes or [{}], list[PortBody], "PortBindings")
            found += [_publication(port, row) for row in rows]
    return merge_publications(found)


def _publication(port: Any, row: PortBody) -> Publication:
    first, dash, last = (row.host_port or "0").partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise BadRequest(f"invalid port specification: {row.host_port!r}")
    low, high = int(first), int(last or first)
    if not 0 <= low <= high <= 65535:
        raise BadRequest(f"invalid port specification: {row.host_port!r}")
    return Publication(port, check_host_ip(row.host_ip or ""), low, high)

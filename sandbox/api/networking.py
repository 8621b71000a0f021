# SPDX-License-Identifier: MIT
"""From the JSON of a new container to what it is to be on the network. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.api.errors import BadRequest
from sandbox.api.models import EndpointBody, HostNetworkBody, PortBody
from sandbox.errors import UsageError
from sandbox.models.addresses import parse_address
from sandbox.models.endpoints import (
    NetworkConfig,
    NetworkFlags,
    check_address,
    parse_extra_host,
    parse_network,
)
from sandbox.models.network import BRIDGE, NONE
from sandbox.models.ports import Publication, check_publications, parse_exposed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.api.models import ContainerBody


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
    for text in host.dns or ():
        if parse_address(text) is None and ":" not in text:
            raise BadRequest(f"invalid DNS address: {text}")
    return NetworkFlags(
        networks=tuple(_flag(name, item) for name, item in endpoints.items()),
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


def endpoint_flag(name: str, data: Any) -> str:
    """Return an endpoint of a network in the form of the command line's flag."""
    return _flag(name, _endpoint(data))


def links_of(data: Any) -> tuple[str, ...]:
    """Return the links of an endpoint."""
    return tuple(_endpoint(data).links or ())


def _flag(name: str, item: EndpointBody) -> str:
    if "," in name:
        raise BadRequest(f"network {name} not found")
    address = (item.ip_amconfig or {}).get("IPv4Address") or ""
    if (item.ip_amconfig or {}).get("IPv6Address"):
        raise UsageError("addresses of IPv6 cannot be chosen: containers have IPv4 addresses")
    aliases = tuple(item.aliases or ())
    if not aliases and not address:
        return name
    for alias in aliases:
        if "," in alias or "=" in alias:
            raise BadRequest(f"invalid alias: {alias}")
    parts = [f"name={name}", *(f"alias={alias}" for alias in aliases)]
    if address:
        parts.append(f"ip={check_address(address)}")
    text = ",".join(parts)
    parse_network(text)
    return text


def _publications(bindings: Mapping[str, Any]) -> tuple[Publication, ...]:
    found = []
    for text, wishes in bindings.items():
        for port in parse_exposed(text):
            rows: list[PortBody] = _convert(wishes or [{}], list[PortBody], "PortBindings")
            found += [_publication(port, row) for row in rows]
    return check_publications(found)


def _publication(port: Any, row: PortBody) -> Publication:
    first, dash, last = (row.host_port or "0").partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise BadRequest(f"invalid port specification: {row.host_port!r}")
    low, high = int(first), int(last or first)
    if not 0 <= low <= high <= 65535:
        raise BadRequest(f"invalid port specification: {row.host_port!r}")
    host_ip = "" if row.host_ip in (None, "", "0.0.0.0", "::") else str(row.host_ip)  # noqa: S104
    return Publication(port, host_ip, low, high)

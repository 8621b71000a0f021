# SPDX-License-Identifier: MIT
"""``network inspect``: Docker's JSON of a network and of the containers on it.

Rules: pure. A field without a value is shown empty, never invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.containers.network_settings import endpoint_id, mac_address
from sandbox.models.addresses import format_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.models.network import Network
    from sandbox.runtime.network.members import Member


def describe_network(network: Network, members: Iterable[Member]) -> dict[str, Any]:
    """Return the network's inspect object; *members* are the running containers on it."""
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
        "Containers": {member.id: _member(member, network) for member in members},
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


def _member(member: Member, network: Network) -> dict[str, str]:
    place = member.on(network.id)
    assert place is not None
    return {
        "Name": member.name,
        "EndpointID": endpoint_id(member.id, network.id, place.address),
        "MacAddress": mac_address(place),
        "IPv4Address": f"{place.address}/{place.prefix}",
        "IPv6Address": "",
    }

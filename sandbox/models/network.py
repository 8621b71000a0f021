# SPDX-License-Identifier: MIT
"""Networks: their records, and the validation of requests for new ones. Pure.

Rules: frozen and typed. JSON is converted when it is read.

Must not know: where records are stored, which addresses are free.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from sandbox.errors import CorruptData, Unsupported, UsageError
from sandbox.models.addresses import (
    LOOPBACK_NET,
    Subnet,
    format_address,
    parse_address,
    parse_subnet,
)
from sandbox.models.ports import check_host_ip
from sandbox.models.record import Record, field

if TYPE_CHECKING:
    from collections.abc import Sequence

Driver = Literal["bridge", "host", "null"]

BRIDGE, HOST, NONE = "bridge", "host", "none"
BUILD = "default"
"""RUN without ``--network``: the machine's network without its abstract sockets."""
PREDEFINED = (BRIDGE, HOST, NONE)

NAME_SERVER = "127.0.0.11"
"""Where a container on a network with names finds the networks' name server."""

_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9 _.-]*[a-zA-Z0-9_.-])?")
# Options that have no effect without a bridge device.
_IDLE_OPTIONS = (
    "com.docker.network.bridge.name",
    "com.docker.network.bridge.default_bridge",
    "com.docker.network.container_iface_prefix",
    "com.docker.network.driver.mtu",
)
HOST_BINDING = "com.docker.network.bridge.host_binding_ipv4"
# (option, the only supported value)
_FIXED_OPTIONS = {
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
}


class Network(Record, frozen=True, kw_only=True):
    """A network's record; *number* identifies it in files that guests read."""

    id: str
    name: str
    created: str
    driver: Driver = "bridge"
    number: int = 0
    subnet: Subnet | None = None
    gateway: int = 0
    ip_range: Subnet | None = None
    internal: bool = False
    attachable: bool = False
    chosen_subnet: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    """Settings that have no effect, but are shown: ``IPAM``, ``EnableIPv6``."""

    def only_shows(self, address: str) -> bool:
        """Return whether an IPv4 address is in a subnet that is only shown, not used."""
        number = parse_address(address)
        pools = (self.asked.get("IPAM") or {}).get("Config") or ()
        subnets = [pool["Subnet"] for pool in pools if ":" not in pool.get("Subnet", ":")]
        return number is not None and any(number in parse_subnet(text) for text in subnets)

    @property
    def is_predefined(self) -> bool:
        """Return whether it exists in every store."""
        return self.name in PREDEFINED

    @property
    def has_names(self) -> bool:
        """Return whether containers on it can resolve each other's names."""
        return self.driver == "bridge" and self.name != BRIDGE

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "created": self.created,
            "number": self.number,
            "subnet": str(self.subnet),
            "gateway": format_address(self.gateway) if self.gateway else "",
            "ipRange": str(self.ip_range) if self.ip_range else "",
            "internal": self.internal,
            "attachable": self.attachable,
            "chosenSubnet": self.chosen_subnet,
            "labels": dict(self.labels),
            "options": dict(self.options),
            "asked": self.asked,
        }

    @classmethod
    def from_json(cls, data: Any) -> Network:
        """Return the record in JSON. Raises CorruptData."""
        try:
            return cls(
                id=data["id"],
                name=data["name"],
                created=data["created"],
                number=data["number"],
                subnet=parse_subnet(data["subnet"]),
                gateway=parse_address(data["gateway"]) or 0,
                ip_range=parse_subnet(data["ipRange"]) if data["ipRange"] else None,
                internal=data["internal"],
                attachable=data["attachable"],
                chosen_subnet=data["chosenSubnet"],
                labels=dict(data["labels"]),
                options=dict(data["options"]),
                asked=dict(data.get("asked") or {}),
            )
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as exc:
            raise CorruptData(f"the record of a network is damaged: {exc!r}") from exc


class NetworkWish(Record, frozen=True, kw_only=True):
    """The options of ``network create``."""

    name: str
    driver: str = "bridge"
    subnet: Subnet | None = None
    gateway: int = 0
    ip_range: Subnet | None = None
    internal: bool = False
    attachable: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)


def check_wish(wish: NetworkWish) -> NetworkWish:
    """Return *wish* if it is valid. Raises UsageError or Unsupported, with Docker's messages."""
    if _NAME.fullmatch(wish.name) is None:
        raise UsageError(
            f"invalid network name {wish.name!r}: only [a-zA-Z0-9][a-zA-Z0-9 _.-]* are allowed"
        )
    if wish.name == "default":  # in --network it means the bridge
        raise UsageError("operation is not permitted on predefined default network")
    if wish.driver in ("host", "null", "none"):
        kind = "null" if wish.driver == "none" else wish.driver
        raise UsageError(f'only one instance of "{kind}" network is allowed')
    if wish.driver in ("overlay", "macvlan", "ipvlan"):
        raise Unsupported(f"networks of the driver {wish.driver} are not supported: only bridge")
    if wish.driver != "bridge":
        raise UsageError(f'plugin "{wish.driver}" not found')
    _check_options(wish.options)
    _check_subnet(wish)
    return wish


def _check_subnet(wish: NetworkWish) -> None:
    if wish.subnet is None:
        if wish.gateway or wish.ip_range:
            raise UsageError("every ip-range or gateway must have a corresponding subnet")
        return
    if wish.subnet.base >> 24 != LOOPBACK_NET >> 24 or wish.subnet.prefix > 30:
        raise Unsupported(
            f"subnet {wish.subnet} is not possible without root: containers have addresses in "
            "127.0.0.0/8, with a prefix of 30 bits at most"
        )
    if wish.subnet.prefix < 16 or 0x7F000001 in wish.subnet:
        raise Unsupported(f"subnet {wish.subnet} is not supported: use a prefix of 16 to 30 bits")
    if wish.gateway and wish.gateway not in wish.subnet:
        raise UsageError(f"no matching subnet for gateway {format_address(wish.gateway)}")
    if wish.ip_range and wish.ip_range.base not in wish.subnet:
        raise UsageError(f"no matching subnet for range {wish.ip_range}")


def _check_options(options: dict[str, str]) -> None:
    for key, value in options.items():
        if key == HOST_BINDING:
            if ":" in check_host_ip(value):
                raise UsageError(f"invalid IPv4 address: {value}")
        elif key in _FIXED_OPTIONS:
            if value != _FIXED_OPTIONS[key]:
                raise Unsupported(f"network option {key}={value} is not supported")
        elif key not in _IDLE_OPTIONS:
            raise Unsupported(f"network option {key} is not supported")


def find_network(networks: Sequence[Network], name: str) -> Network | None:
    """Return the network with this name, id or unambiguous start of an id, or None."""
    for network in networks:
        if name in (network.name, network.id):
            return network
    matches = [network for network in networks if name and network.id.startswith(name)]
    if len(matches) > 1:
        raise UsageError(f"network {name} is ambiguous ({len(matches)} matches found on ID prefix)")
    return matches[0] if matches else None

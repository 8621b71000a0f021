# SPDX-License-Identifier: MIT
"""The network settings of a container: endpoints, published ports, names. Pure.

Rules: frozen and typed. JSON is converted when it is read. A record of an older version has no
network settings, and means the host's network.

Must not know: which networks and addresses exist.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import UsageError
from sandbox.models.addresses import parse_address
from sandbox.models.network import BRIDGE, HOST, NONE
from sandbox.models.ports import Publication, parse_exposed
from sandbox.models.record import Record, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

GATEWAY_NAME = "host-gateway"
HOST_ALIAS = "host.docker.internal"


class Endpoint(Record, frozen=True):
    """The connection of a container to one network, which is named as the user named it.

    *links* are tuples (full id of the other container, its name, alias); an empty id means
    whichever container has the name. An empty *mac* is computed from the address. Addresses in
    *asked* and the driver's *options* are only shown by inspect.
    """

    network: str
    aliases: tuple[str, ...] = ()
    address: str = ""
    links: tuple[tuple[str, str, str], ...] = ()
    mac: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "network": self.network,
            "aliases": list(self.aliases),
            "address": self.address,
            "links": [list(link) for link in self.links],
            "mac": self.mac,
            "asked": self.asked,
            "options": self.options,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Endpoint:
        """Return the record in JSON."""
        links = tuple((link[0], link[1], link[2]) for link in data["links"])
        return cls(
            data["network"],
            tuple(data["aliases"]),
            data["address"],
            links,
            data.get("mac", ""),
            data.get("asked", {}),
            data.get("options", {}),
        )


class NetworkConfig(Record, frozen=True, kw_only=True):
    """The network settings of a container.

    *mode* is "host", "none", "container:ID" or the name of the first network; for a build it may
    be "default" (`network.BUILD`). *endpoints* are all its networks; connect and disconnect change
    them.
    """

    mode: str = HOST
    endpoints: tuple[Endpoint, ...] = ()
    publications: tuple[Publication, ...] = ()
    publish_all: bool = False
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[tuple[str, str], ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    log: str = ""

    @property
    def joined(self) -> str:
        """Return the id of the container whose network it shares; "" if it has its own."""
        return self.mode.partition(":")[2] if self.mode.startswith("container:") else ""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "mode": self.mode,
            "endpoints": [item.to_json() for item in self.endpoints],
            "publications": [item.to_json() for item in self.publications],
            "publishAll": self.publish_all,
            "dns": list(self.dns),
            "dnsSearch": list(self.dns_search),
            "dnsOptions": list(self.dns_options),
            "extraHosts": [list(item) for item in self.extra_hosts],
            "allowedHosts": list(self.allowed_hosts),
            "log": self.log,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> NetworkConfig:
        """Return the record in JSON."""
        if not data:
            return cls()
        return cls(
            mode=data["mode"],
            endpoints=tuple(Endpoint.from_json(item) for item in data["endpoints"]),
            publications=tuple(Publication.from_json(item) for item in data["publications"]),
            publish_all=data["publishAll"],
            dns=tuple(data["dns"]),
            dns_search=tuple(data["dnsSearch"]),
            dns_options=tuple(data["dnsOptions"]),
            extra_hosts=tuple((name, address) for name, address in data["extraHosts"]),
            allowed_hosts=tuple(data["allowedHosts"]),
            log=data["log"],
        )


# ---- flags -----------------------------------------------------------------------------


class NetworkFlags(Record, frozen=True, kw_only=True):
    """The network flags of `run` and `create`, as the user gave them."""

    networks: tuple[str | Endpoint, ...] = ()
    aliases: tuple[str, ...] = ()
    address: str = ""
    mac: str = ""
    links: tuple[str, ...] = ()
    config: NetworkConfig = field(default_factory=NetworkConfig)
    exposed: tuple[str, ...] = ()
    hostname: bool = False


def parse_network(text: str) -> Endpoint:
    """Return the endpoint in ``--network NAME`` or ``name=NAME,alias=A,ip=ADDRESS``.

    >>> parse_network("name=back,alias=db").aliases
    ('db',)
    """
    if "=" not in text:
        return Endpoint(text)
    found = Endpoint("")
    for item in text.split(","):
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"invalid field {item}")
        if key == "name":
            found = replace(found, network=value)
        elif key == "alias":
            found = replace(found, aliases=(*found.aliases, value))
        elif key == "ip":
            found = replace(found, address=check_address(value))
        elif key == "mac-address":
            found = replace(found, mac=check_mac(value))
        else:
            raise UsageError(f"invalid field key {key}")
    if not found.network:
        raise UsageError(f"network name/id is not specified: {text}")
    return found


def check_address(text: str) -> str:
    """Return *text* if it is an IPv4 address. Raises UsageError."""
    if parse_address(text) is None:
        raise UsageError(f"invalid IPv4 address: {text}")
    return text


def check_mac(text: str) -> str:
    """Return a hardware address of six bytes, with colons. Raises UsageError.

    >>> check_mac("02-42-AC-11-00-0A")
    '02:42:ac:11:00:0a'
    """
    plain = text.lower().replace("-", ":")
    if re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", plain) is None or not plain.strip("0:"):
        raise UsageError(f"invalid MAC address: {text}")
    return plain


def parse_link(text: str) -> tuple[str, str]:
    """Return (container, alias) for ``--link CONTAINER[:ALIAS]``.

    >>> parse_link("/db:store"), parse_link("db")
    (('db', 'store'), ('db', 'db'))
    """
    name, colon, alias = text.partition(":")
    if not name or (colon and not alias) or ":" in alias:
        raise UsageError(f"bad format for links: {text}")
    name = name.removeprefix("/")
    return name, alias.rpartition("/")[2] or name


def split_link(text: str) -> tuple[str, str]:
    """Return (container, alias) for the name of a link, CONTAINER/ALIAS.

    >>> split_link("/web/db")
    ('web', 'db')
    """
    name, slash, alias = text.removeprefix("/").partition("/")
    if not slash or not name or not alias:
        raise UsageError(f"invalid link name {text}: expected CONTAINER/ALIAS")
    return name, alias


def parse_extra_host(text: str) -> tuple[str, str]:
    """Return (name, address) for ``--add-host NAME:ADDRESS`` or NAME=ADDRESS.

    >>> parse_extra_host("db:10.0.0.1"), parse_extra_host("me=[::1]")
    (('db', '10.0.0.1'), ('me', '::1'))
    """
    split = re.fullmatch(r"([^:=\s]+)[:=](\S+)", text)
    if split is None:
        raise UsageError(f'bad format for add-host: "{text}"')
    name, address = split[1], split[2].removeprefix("[").removesuffix("]")
    plain = parse_address(address) is not None or re.fullmatch(
        r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", address
    )
    if address != GATEWAY_NAME and not plain:
        raise UsageError(f'invalid IP address in add-host: "{address}"')
    return name, address


def split_allowed_host(text: str) -> tuple[str, int]:
    """Return (name, port) for NAME[:PORT] or [IPv6][:PORT]; 0 means any port.

    >>> split_allowed_host("example.org:443"), split_allowed_host("10.0.0.0/8")
    (('example.org', 443), ('10.0.0.0/8', 0))
    >>> split_allowed_host("[::1]")
    ('::1', 0)
    """
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
    elif text.count(":") == 1:
        name, _, rest = text.partition(":")
        rest = f":{rest}"
    else:
        name, rest = text, ""
    port = rest.removeprefix(":")
    if not name or (rest and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise UsageError(f"invalid value for --allow-host: {text}")
    return name, int(port or 0)


def resolve_flags(flags: NetworkFlags, default: str) -> NetworkConfig:
    """Return the settings that the flags ask for. Raises UsageError, with Docker's messages.

    The caller looks up containers that are named in container:NAME and in links.
    """
    wanted = [_endpoint(item) for item in flags.networks] or [Endpoint(default)]
    wanted = [_spelled(item) for item in wanted]
    first = wanted[0]
    mode = first.network
    special = [item for item in wanted if not _is_bridge_like(item.network)]
    if len(wanted) > 1 and special:
        raise UsageError(
            "conflicting options: cannot attach both user-defined and non-user-defined "
            "network-modes"
        )
    names = [item.network for item in wanted]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f'network "{twice}" is specified multiple times')
    _check_first(flags, first)
    if special:
        _check_special(flags, mode)
        return replace(flags.config, mode=mode)
    links = tuple(("", *parse_link(text)) for text in flags.links)
    endpoint = replace(
        first,
        aliases=(*first.aliases, *flags.aliases),
        address=first.address or flags.address,
        mac=first.mac or flags.mac,
        links=links,
    )
    return replace(flags.config, mode=mode, endpoints=(endpoint, *wanted[1:]))


def _endpoint(item: str | Endpoint) -> Endpoint:
    return parse_network(item) if isinstance(item, str) else item


def _spelled(item: Endpoint) -> Endpoint:
    return replace(item, network=BRIDGE) if item.network in ("default", "") else item


def _is_bridge_like(name: str) -> bool:
    return name not in (HOST, NONE) and not name.startswith("container:")


def _check_first(flags: NetworkFlags, first: Endpoint) -> None:
    defined = _is_bridge_like(first.network) and first.network != BRIDGE
    if (flags.aliases or first.aliases) and not defined:
        raise UsageError("network-scoped aliases are only supported for user-defined networks")
    if (flags.address or first.address) and not defined:
        raise UsageError("user specified IP address is supported on user defined networks only")


def _check_special(flags: NetworkFlags, mode: str) -> None:
    config = flags.config
    if mode == HOST and flags.links:
        raise UsageError(
            "conflicting options: host type networking can't be used with links. "
            "This would result in undefined behavior"
        )
    if mode in (HOST, NONE):
        if config.allowed_hosts:
            raise UsageError(f"conflicting options: --allow-host and the network mode {mode}")
        if flags.mac and mode == HOST:
            raise UsageError("conflicting options: mac-address and the network mode")
        if config.log and mode == HOST:
            raise UsageError("conflicting options: --network-log and the network mode host")
        return
    if mode == "container:":
        raise UsageError("invalid container format container:<name|id>")
    for given, text in (
        (flags.mac, "mac-address and the network mode"),
        (
            flags.links,
            "container type network can't be used with links. This would result in "
            "undefined behavior",
        ),
        (flags.hostname, "hostname and the network mode"),
        (config.dns or config.dns_search or config.dns_options, "dns and the network mode"),
        (config.extra_hosts, "custom host-to-IP mapping and the network mode"),
        (
            config.publications or config.publish_all,
            "port publishing and the container type network mode",
        ),
        (flags.exposed, "port exposing and the container type network mode"),
        (config.allowed_hosts, "--allow-host and the network mode"),
        (config.log, "--network-log and the network mode"),
    ):
        if given:
            raise UsageError(f"conflicting options: {text}")


def all_exposed(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the single ports in values of EXPOSE and ``--expose``: each once, in order."""
    found = {str(port): None for text in texts for port in parse_exposed(text)}
    return tuple(found)

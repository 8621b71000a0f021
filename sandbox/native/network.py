# SPDX-License-Identifier: MIT
"""The network files of one user: addresses of containers, and published ports.

How it works: one directory has two files in the format of csrc/base/net_abi.h. Guests map them, so
running containers see every change at once. docs/network.md describes how guests use the rows.

Rules: a writer holds the directory's lock, which `NetworkTable.locked` takes. A row is present as
a whole or not at all, even if its writer is killed. Addresses are dotted text here, ports are
ints.

Must not know: names of networks, how addresses are chosen, which containers still run.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Self

from sandbox.errors import NativeError
from sandbox.models.closable import Closing
from sandbox.models.record import Record
from sandbox.native._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Protocol = Literal["tcp", "udp"]
Egress = Literal["free", "none", "listed"]

HOST_CONTAINER: int = lib.SB_NET_HOST
MAX_CONTAINERS: int = lib.SB_NET_CONTAINERS
MAX_ADDRESSES: int = lib.SB_NET_ADDRESSES
MAX_RESOLVERS: int = lib.SB_NET_RESOLVERS
MAX_ALLOWED: int = lib.SB_NET_ALLOWED
LOW_PORT_BASE: int = lib.SB_NET_LOW_BASE

_EGRESS: dict[Egress, int] = {
    "free": lib.SB_NET_EGRESS_FREE,
    "none": lib.SB_NET_EGRESS_NONE,
    "listed": lib.SB_NET_EGRESS_LISTED,
}
_EGRESS_NAMES = {number: name for name, number in _EGRESS.items()}
_DROPPED = 1


class Interface(Record, frozen=True):
    """A container's interface on one network; *network* is 1 to 65535."""

    address: str
    network: int
    prefix: int = 24
    gateway: str | None = None
    mac: str = ""
    """The hardware address; "" means one computed from the address."""


class Allowed(Record, frozen=True):
    """Outside addresses that a container may reach; *port* 0 means any port."""

    network: str
    port: int = 0


class NetworkState(Record, frozen=True):
    """The network settings of a running container.

    All its sockets are bound to *address*, which does not change while it runs, and which need
    not be an endpoint. *resolvers* are name servers; port 53 of these is always allowed.
    """

    address: str
    interfaces: Sequence[Interface] = ()
    egress: Egress = "free"
    allowed: Sequence[Allowed] = ()
    resolvers: Sequence[str] = ()
    low_ports: int = 1024


class Endpoint(Record, frozen=True):
    """An address, its network, and the container that has it."""

    address: str
    network: int
    container: int


class Published(Record, frozen=True):
    """A port of a container that is published on an address of the host."""

    container: int
    protocol: Protocol
    port: int
    host: str
    host_port: int


class PortInUse(Record, frozen=True):
    """A port that a program in a container has bound. The program may have ended."""

    container: int
    protocol: Protocol
    port: int
    real_port: int
    loopback: bool
    published: bool


def _number(address: str) -> int:
    return int(ipaddress.IPv4Address(address))


def _text(number: int) -> str:
    return str(ipaddress.IPv4Address(number))


def _wide(address: str) -> bytes:
    """Return 16 bytes: an IPv6 address, or IPv4 mapped as ::ffff:a.b.c.d.

    >>> _wide("10.0.0.1").hex()
    '00000000000000000000ffff0a000001'
    """
    found = ipaddress.ip_address(address)
    if found.version == 4:
        return bytes(10) + b"\xff\xff" + found.packed
    return found.packed


def _narrow(packed: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.IPv6Address(packed)
    return address.ipv4_mapped or address


def _mac_text(packed: bytes) -> str:
    return packed.hex(":") if any(packed) else ""


def _allowed_row(allowed: Allowed) -> dict[str, object]:
    network = ipaddress.ip_network(allowed.network)
    wide = 96 if network.version == 4 else 0
    address = list(_wide(str(network.network_address)))
    return {"address": address, "prefix": network.prefixlen + wide, "port": allowed.port}


def _interface_row(interface: Interface) -> dict[str, object]:
    return {
        "address": _number(interface.address),
        "gateway": _number(interface.gateway) if interface.gateway else 0,
        "network": interface.network,
        "prefix": interface.prefix,
        "hardware": list(bytes.fromhex(interface.mac.replace(":", ""))),
    }


def _state_row(state: NetworkState) -> object:
    for name, values, room in (
        ("networks", state.interfaces, MAX_ADDRESSES),
        ("name servers", state.resolvers, MAX_RESOLVERS),
        ("allowed addresses", state.allowed, MAX_ALLOWED),
    ):
        if len(values) > room:
            raise ValueError(f"{len(values)} {name}: at most {room} are supported")
    return ffi.new(
        "struct sb_net_state *",
        {
            "address": _number(state.address),
            "egress": _EGRESS[state.egress],
            "low_ports": state.low_ports,
            "address_count": len(state.interfaces),
            "resolver_count": len(state.resolvers),
            "allowed_count": len(state.allowed),
            "addresses": [_interface_row(one) for one in state.interfaces],
            "resolvers": [list(_wide(one)) for one in state.resolvers],
            "allowed": [_allowed_row(one) for one in state.allowed],
        },
    )


def _check(result: int, doing: str) -> int:
    if result < 0:
        raise NativeError(-result, doing)
    return result


class NetworkTable(Closing):
    """Both files, mapped into memory. Reading needs no lock. Methods raise NativeError."""

    def __init__(self, handle: object) -> None:
        """Call `locked` or `reading` instead."""
        self._handle = handle

    @classmethod
    @contextmanager
    def locked(cls, directory: str) -> Iterator[Self]:
        """Give the table, with the directory's lock held; create the files if necessary."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = os.open(f"{directory}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with cls._open(os.path.realpath(directory)) as table:
                yield table
        finally:
            os.close(lock)

    @classmethod
    def reading(cls, directory: str) -> Self:
        """Map the files to read them; `locked` must have created them."""
        if not os.path.exists(f"{directory}/ports"):
            raise FileNotFoundError(f"{directory}/ports")
        return cls._open(os.path.realpath(directory))

    @classmethod
    def _open(cls, directory: str) -> Self:
        error = ffi.new("int *")
        handle = lib.sb_hosted_net_open(os.fsencode(directory), error)
        if handle == ffi.NULL:
            raise NativeError(-error[0], f"cannot use the network files in {directory}")
        return cls(handle)

    def close(self) -> None:
        """Unmap the files."""
        lib.sb_hosted_net_close(self._handle)

    # -- containers

    def take(self, container_id: str, state: NetworkState) -> int:
        """Assign a number to a container; its id has at most 71 characters."""
        row = _state_row(state)
        result = lib.sb_hosted_net_take(self._handle, container_id.encode(), row)
        return _check(result, "too many containers on the networks")

    def update(self, container: int, state: NetworkState) -> None:
        """Replace the settings of a container; its running programs see them at once."""
        result = lib.sb_hosted_net_update(self._handle, container, _state_row(state))
        _check(result, f"no container has the network number {container}")

    def release(self, container: int) -> None:
        """Remove a container that has ended, with its endpoints and ports."""
        _check(lib.sb_hosted_net_release(self._handle, container), "cannot release a container")

    def containers(self) -> dict[int, str]:
        """Map each number in use to the container's id."""
        rows = lib.sb_hosted_net_table(self._handle).containers
        used = (n for n in range(1, MAX_CONTAINERS) if self._state(n).address)
        return {number: ffi.string(rows[number].id).decode() for number in used}

    def state(self, container: int) -> NetworkState | None:
        """Return the settings of a container; None if the number is free."""
        row = self._state(container)
        if not row.address:
            return None
        return NetworkState(
            _text(row.address),
            tuple(
                Interface(
                    _text(one.address),
                    one.network,
                    one.prefix,
                    _text(one.gateway) if one.gateway else None,
                    _mac_text(bytes(one.hardware)[:6]),
                )
                for one in row.addresses[0 : row.address_count]
            ),
            _EGRESS_NAMES[row.egress],
            tuple(_allowed_of(one) for one in row.allowed[0 : row.allowed_count]),
            tuple(str(_narrow(bytes(one))) for one in row.resolvers[0 : row.resolver_count]),
            row.low_ports,
        )

    def _state(self, container: int):  # type: ignore[no-untyped-def] # noqa: ANN202
        row = lib.sb_hosted_net_table(self._handle).containers[container]
        return row.state[row.version & 1]

    # -- the name server

    def set_name_server(self, address: str, port: int) -> None:
        """Tell the guests where the networks' name server listens; "" means nowhere."""
        place = _number(address) << 16 | port if address else 0
        lib.sb_hosted_net_set_name_server(self._handle, place)

    def name_server(self) -> tuple[str, int] | None:
        """Return where the guests find the networks' name server."""
        place = int(lib.sb_hosted_net_table(self._handle).name_server)
        return (_text(place >> 16), place & 0xFFFF) if place else None

    # -- endpoints

    def add_endpoint(self, endpoint: Endpoint) -> None:
        """Assign an address to a container; a gateway's address belongs to the host."""
        result = lib.sb_hosted_net_put_endpoint(
            self._handle, _number(endpoint.address), endpoint.network, endpoint.container
        )
        _check(result, f"cannot add the address {endpoint.address}")

    def drop_endpoint(self, address: str) -> None:
        """Remove the endpoint with this address."""
        result = lib.sb_hosted_net_drop_endpoint(self._handle, _number(address))
        _check(result, f"no container has the address {address}")

    def endpoints(self) -> list[Endpoint]:
        """Return all endpoints."""
        rows = self._words(lib.sb_hosted_net_table(self._handle).endpoints)
        return [
            Endpoint(_text(word >> 32), word >> 16 & 0xFFFF, word & 0xFFFF)
            for word in rows
            if word > _DROPPED
        ]

    # -- published ports

    def publish(self, row: Published) -> None:
        """Publish a port on an address of the host, from the next bind(2) of the port on."""
        result = lib.sb_hosted_net_publish(
            self._handle,
            row.container,
            row.protocol == "udp",
            row.port,
            _number(row.host),
            row.host_port,
        )
        _check(result, f"cannot publish port {row.port}/{row.protocol}")

    def unpublish(self, container: int, protocol: Protocol, port: int) -> None:
        """Undo `publish`. A socket that is already bound is not changed."""
        result = lib.sb_hosted_net_unpublish(self._handle, container, protocol == "udp", port)
        _check(result, f"port {port}/{protocol} is not published")

    def published(self) -> list[Published]:
        """Return all published ports."""
        words = self._words(lib.sb_hosted_net_table(self._handle).published)
        return [
            Published(key >> 32, _protocol(key >> 16), key & 0xFFFF, _text(at >> 16), at & 0xFFFF)
            for key, at in zip(words[::2], words[1::2], strict=True)
            if key > _DROPPED
        ]

    # -- relays

    def lead(self, container: int, protocol: Protocol, port: int) -> tuple[str, int]:
        """Return the address and port that a container's port is bound to, or would be."""
        address = ffi.new("unsigned char[16]")
        udp = protocol == "udp"
        real = lib.sb_hosted_net_lead(self._handle, container, udp, port, address)
        _check(real, f"no container has the network number {container}")
        return str(_narrow(bytes(address))), real

    def relay(self, container: int, port: int, *, on: bool) -> None:
        """Set whether a relay uses this UDP port of the container's gateway."""
        result = lib.sb_hosted_net_relay(self._handle, container, port, on)
        _check(result, "too many ports in use")

    # -- ports in use

    def ports(self) -> list[PortInUse]:
        """Return the ports that programs have bound."""
        rows = self._words(lib.sb_hosted_net_ports(self._handle).rows)
        used = (word for word in rows if word > _DROPPED)
        return [
            PortInUse(
                word >> 48,
                _protocol(word >> 40),
                word >> 16 & 0xFFFF,
                word & 0xFFFF,
                bool(word >> 32 & lib.SB_NET_LOOPBACK),
                bool(word >> 32 & lib.SB_NET_PUBLISHED_PORT),
            )
            for word in used
            if not word >> 40 & (lib.SB_NET_REVERSE | lib.SB_NET_RELAY)
        ]

    @staticmethod
    def _words(array: object) -> memoryview:
        return memoryview(bytes(ffi.buffer(array))).cast("Q")


def _protocol(bits: int) -> Protocol:
    return "udp" if bits & lib.SB_NET_UDP else "tcp"


def _allowed_of(row) -> Allowed:  # type: ignore[no-untyped-def] # noqa: ANN001
    address = _narrow(bytes(row.address))
    prefix = row.prefix - 96 if address.version == 4 else row.prefix
    return Allowed(f"{address}/{prefix}", row.port)

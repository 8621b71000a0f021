# SPDX-License-Identifier: MIT
"""The network files of one user: who has which address, and what is published.

How it works: two files in one directory, laid out by csrc/base/net_abi.h. Guests map them, so
every change is seen at once by the containers that run. docs/network.md says what a
guest makes of a row.

Rules: whoever changes something holds the directory's lock, which `NetworkTable.locked`
takes. A row is there whole or not at all, whenever its writer was killed. Addresses
are dotted text here, ports are ints.

Does not know: names of networks, where addresses come from, which containers still run.
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
    """A container's place on one network (number 1 to 65535)."""

    address: str
    network: int
    prefix: int = 24
    gateway: str | None = None
    mac: str = ""
    """Empty: made of the address."""


class Allowed(Record, frozen=True):
    """Addresses outside that may be reached; *port* 0 is any."""

    network: str
    port: int = 0


class NetworkState(Record, frozen=True):
    """What a container is on its networks.

    All its sockets are bound to *address*, which stays while it runs and need be no
    endpoint. *resolvers* are name servers that it reaches on port 53 in any case.
    """

    address: str
    interfaces: Sequence[Interface] = ()
    egress: Egress = "free"
    allowed: Sequence[Allowed] = ()
    resolvers: Sequence[str] = ()
    low_ports: int = 1024


class Endpoint(Record, frozen=True):
    """An address, the network it belongs to and the container it leads to."""

    address: str
    network: int
    container: int


class Published(Record, frozen=True):
    """A port of a container that lies on an address of the machine."""

    container: int
    protocol: Protocol
    port: int
    host: str
    host_port: int


class PortInUse(Record, frozen=True):
    """A port that a program of a container has bound; the program may be gone."""

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
    """Return 16 bytes: IPv4 as ::ffff:a.b.c.d.

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
            raise ValueError(f"{len(values)} {name}: there is room for {room}")
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
    """Both files, mapped. Reading needs no lock."""

    def __init__(self, handle: object) -> None:
        """Use `locked` or `reading`."""
        self._handle = handle

    @classmethod
    @contextmanager
    def locked(cls, directory: str) -> Iterator[Self]:
        """Hold the lock of a directory's files, which are made when absent."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = os.open(f"{directory}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with cls._open(directory) as table:
                yield table
        finally:
            os.close(lock)

    @classmethod
    def reading(cls, directory: str) -> Self:
        """Map the files to look only; `locked` must have made them before."""
        if not os.path.exists(f"{directory}/ports"):
            raise FileNotFoundError(f"{directory}/ports")
        return cls._open(directory)

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
        """Give a container a number (at most 71 characters of id)."""
        row = _state_row(state)
        result = lib.sb_hosted_net_take(self._handle, container_id.encode(), row)
        return _check(result, "no room for one more container on the networks")

    def update(self, container: int, state: NetworkState) -> None:
        """Replace what a container is; its running programs see it at once."""
        result = lib.sb_hosted_net_update(self._handle, container, _state_row(state))
        _check(result, f"no container has the network number {container}")

    def release(self, container: int) -> None:
        """Forget a container that has ended, with its endpoints and ports."""
        _check(lib.sb_hosted_net_release(self._handle, container), "cannot release a container")

    def containers(self) -> dict[int, str]:
        """Return the id of every number in use."""
        rows = lib.sb_hosted_net_table(self._handle).containers
        used = (n for n in range(1, MAX_CONTAINERS) if self._state(n).address)
        return {number: ffi.string(rows[number].id).decode() for number in used}

    def state(self, container: int) -> NetworkState | None:
        """Return what a container is, None when the number is free."""
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

    # -- endpoints

    def add_endpoint(self, endpoint: Endpoint) -> None:
        """Let an address lead to a container (or, as a gateway, to the machine)."""
        result = lib.sb_hosted_net_put_endpoint(
            self._handle, _number(endpoint.address), endpoint.network, endpoint.container
        )
        _check(result, f"cannot add the address {endpoint.address}")

    def drop_endpoint(self, address: str) -> None:
        """Let an address lead nowhere."""
        result = lib.sb_hosted_net_drop_endpoint(self._handle, _number(address))
        _check(result, f"nobody has the address {address}")

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
        """Let a port lie on an address of the machine when it is bound the next time."""
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
        """Undo `publish`; a socket that is bound stays."""
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
        """Return where a port of a container lies now; nobody listens there if it is not bound."""
        address = ffi.new("unsigned char[16]")
        udp = protocol == "udp"
        real = lib.sb_hosted_net_lead(self._handle, container, udp, port, address)
        _check(real, f"no container has the network number {container}")
        return str(_narrow(bytes(address))), real

    def relay(self, container: int, port: int, *, on: bool) -> None:
        """Say whether this UDP port of the container's gateway is a relay's."""
        result = lib.sb_hosted_net_relay(self._handle, container, port, on)
        _check(result, "no room for one more port")

    # -- ports in use

    def ports(self) -> list[PortInUse]:
        """Return what programs have bound."""
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

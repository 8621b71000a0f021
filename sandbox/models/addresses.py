# SPDX-License-Identifier: MIT
"""IPv4 addresses and subnets, and the addresses that belong to each user. Pure.

Containers use 127.0.0.0/8, where every address is local and needs no privilege. So that users do
not collide, each has a pool 127.N.0.0/16, with N computed from the uid. Networks are subnets
of the pool.

Must not know: which addresses are in use; a bind(2) shows that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import UsageError
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOPBACK_NET = 127 << 24
POOL_PREFIX = 16
NETWORK_PREFIX = 22

# The last part of a pool holds the loopback addresses of containers without a network.
_FIRST_BYTE, _BYTES = 16, 224


def parse_address(text: str) -> int | None:
    """Return a dotted IPv4 address as a number, or None if *text* is not one.

    >>> parse_address("127.0.0.1") == 0x7F000001, parse_address("1.2.3"), parse_address("256.1.1.1")
    (True, None, None)
    """
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdecimal() for part in parts):
        return None
    value = 0
    for part in parts:
        if int(part) > 255 or (len(part) > 1 and part[0] == "0"):
            return None
        value = value << 8 | int(part)
    return value


def format_address(value: int) -> str:
    """Return an address in dotted form.

    >>> format_address(0x7F000001)
    '127.0.0.1'
    """
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


class Subnet(Record, frozen=True):
    """An IPv4 network: its lowest address and its prefix length."""

    base: int
    prefix: int

    def __str__(self) -> str:
        """Return "address/prefix"."""
        return f"{format_address(self.base)}/{self.prefix}"

    def __contains__(self, address: int) -> bool:
        """Return whether the address is in the subnet."""
        return address & self.mask == self.base

    @property
    def mask(self) -> int:
        """Return the netmask."""
        return 0xFFFFFFFF << (32 - self.prefix) & 0xFFFFFFFF

    @property
    def last(self) -> int:
        """Return the highest address, the broadcast address."""
        return self.base | ~self.mask & 0xFFFFFFFF

    def overlaps(self, other: Subnet) -> bool:
        """Return whether the subnets have an address in common."""
        return self.base in other or other.base in self

    def hosts(self) -> Iterator[int]:
        """Yield the addresses that a host can have, the lowest first."""
        yield from range(self.base + 1, self.last)

    def pieces(self, prefix: int) -> Iterator[Subnet]:
        """Yield the subnets with that prefix length."""
        for base in range(self.base, self.last + 1, 1 << (32 - prefix)):
            yield Subnet(base, prefix)


def parse_subnet(text: str) -> Subnet:
    """Return the subnet "address/prefix"; host bits are cleared. Raises UsageError.

    >>> str(parse_subnet("127.5.6.7/16"))
    '127.5.0.0/16'
    """
    address_text, slash, length = text.partition("/")
    address = parse_address(address_text)
    if address is None or not slash or not length.isdecimal() or int(length) > 32:
        raise UsageError(f"invalid CIDR address: {text}")
    prefix = int(length)
    return Subnet(address & Subnet(0, prefix).mask, prefix)


def pool_of(uid: int) -> Subnet:
    """Return the pool of a user.

    >>> str(pool_of(0)), pool_of(1000) == pool_of(1001)
    ('127.16.0.0/16', False)
    """
    mixed = (uid * 0x9E3779B1 & 0xFFFFFFFF) >> 12
    return Subnet(LOOPBACK_NET | (_FIRST_BYTE + mixed % _BYTES) << 16, POOL_PREFIX)


def bridge_subnet(uid: int) -> Subnet:
    """Return the subnet of the default network of a user's containers."""
    return next(pool_of(uid).pieces(NETWORK_PREFIX))


def isolated_subnet(uid: int) -> Subnet:
    """Return the subnet for the loopback of containers without a network."""
    *_, last = pool_of(uid).pieces(NETWORK_PREFIX)
    return last


def free_subnet(uid: int, taken: Iterable[Subnet]) -> Subnet | None:
    """Return a subnet of the user's pool that overlaps none of *taken*; None if it is full."""
    used = [*taken, bridge_subnet(uid), isolated_subnet(uid)]
    for piece in pool_of(uid).pieces(NETWORK_PREFIX):
        if not any(piece.overlaps(other) for other in used):
            return piece
    return None


def mac_of(address: int) -> str:
    """Return the hardware address for an interface with this address, by Docker's rule.

    >>> mac_of(0x7F000102)
    '02:42:7f:00:01:02'
    """
    return "02:42:" + ":".join(f"{address >> shift & 255:02x}" for shift in (24, 16, 8, 0))

# SPDX-License-Identifier: MIT
from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import UsageError
from sandbox.models.addresses import (
    NETWORK_PREFIX,
    Subnet,
    bridge_subnet,
    format_address,
    free_subnet,
    isolated_subnet,
    parse_address,
    parse_subnet,
    pool_of,
)


@given(st.integers(0, 0xFFFFFFFF))
def test_an_address_is_written_and_parsed(value: int) -> None:
    assert format_address(value) == str(ipaddress.IPv4Address(value))
    assert parse_address(format_address(value)) == value


@given(st.text(max_size=20))
def test_addresses_are_the_same_as_pythons(text: str) -> None:
    try:
        expected = int(ipaddress.IPv4Address(text))
    except ValueError:
        expected = None
    assert parse_address(text) == expected


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 32), st.integers(0, 0xFFFFFFFF))
def test_subnets_hold_the_same_addresses_as_pythons(base: int, prefix: int, other: int) -> None:
    subnet = parse_subnet(f"{format_address(base)}/{prefix}")
    known = ipaddress.ip_network(f"{ipaddress.IPv4Address(base)}/{prefix}", strict=False)
    assert str(subnet) == str(known)
    assert (other in subnet) == (ipaddress.IPv4Address(other) in known)
    assert subnet.last == int(known.broadcast_address)


@pytest.mark.parametrize("text", ["", "127.0.0.0", "127.0.0.0/33", "127.0.0.0/x", "a/8", "/8"])
def test_an_invalid_subnet_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid CIDR address"):
        parse_subnet(text)


@given(st.integers(0, 2**32 - 1))
def test_every_users_pool_avoids_commonly_used_loopback_addresses(uid: int) -> None:
    pool = pool_of(uid)
    assert pool.base >> 24 == 127
    assert 16 <= pool.base >> 16 & 255 < 240
    assert bridge_subnet(uid).overlaps(pool)
    assert not bridge_subnet(uid).overlaps(isolated_subnet(uid))


def test_neighbouring_users_have_different_pools() -> None:
    assert len({pool_of(uid) for uid in range(1000, 1010)}) == 10


def test_a_pool_has_room_for_62_networks_of_more_than_500_containers() -> None:
    taken: list[Subnet] = []
    while (subnet := free_subnet(1000, taken)) is not None:
        assert not any(subnet.overlaps(other) for other in taken)
        taken.append(subnet)
    assert len(taken) == 62
    assert len(list(taken[0].hosts())) == 2 ** (32 - NETWORK_PREFIX) - 2 > 1000
    taken.remove(taken[7])
    assert free_subnet(1000, taken) is not None

# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import CorruptData, SandboxError, UsageError
from sandbox.models.addresses import parse_address, parse_subnet
from sandbox.models.network import Network, NetworkWish, check_wish, find_network

SUBNET = parse_subnet("127.90.0.0/16")


def network(**changes: object) -> Network:
    given = {"id": "a" * 64, "name": "back", "created": "now", "number": 2, "subnet": SUBNET}
    return Network(**{**given, **changes})


def test_a_record_is_read_back_from_json() -> None:
    one = network(gateway=SUBNET.base + 1, internal=True, labels={"a": "b"}, ip_range=SUBNET)
    assert Network.from_json(one.to_json()) == one


@pytest.mark.parametrize("data", [None, [], {}, {"id": 1}, {**network().to_json(), "subnet": "x"}])
def test_a_damaged_record_is_an_error(data: object) -> None:
    with pytest.raises(CorruptData):
        Network.from_json(data)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a/b"}, "invalid network name"),
        ({"name": "default"}, "predefined default network"),
        ({"driver": "host"}, 'only one instance of "host" network is allowed'),
        ({"driver": "none"}, 'only one instance of "null" network is allowed'),
        ({"driver": "overlay"}, "not supported"),
        ({"driver": "weave"}, 'plugin "weave" not found'),
        ({"subnet": parse_subnet("172.20.0.0/16")}, "127.0.0.0/8"),
        ({"subnet": parse_subnet("127.0.0.0/16")}, "prefix of 16 to 30"),
        ({"subnet": parse_subnet("127.64.0.0/10")}, "prefix of 16 to 30"),
        ({"gateway": parse_address("127.1.0.1")}, "must have a corresponding subnet"),
        ({"subnet": SUBNET, "gateway": parse_address("127.1.0.1")}, "no matching subnet"),
        ({"subnet": SUBNET, "ip_range": parse_subnet("127.1.0.0/24")}, "no matching subnet"),
        ({"options": {"com.docker.network.bridge.enable_icc": "false"}}, "not supported"),
        ({"options": {"colour": "red"}}, "not supported"),
    ],
)
def test_an_impossible_network_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SandboxError) as caught:
        check_wish(NetworkWish(**{"name": "back", **changes}))
    assert words in caught.value.message


def test_a_possible_network_is_accepted_unchanged() -> None:
    options = {"com.docker.network.driver.mtu": "1400"}
    wish = NetworkWish(name="b.c-d_1", subnet=SUBNET, gateway=SUBNET.base + 9, options=options)
    assert check_wish(wish) is wish


def test_a_network_is_found_by_name_id_and_id_prefix() -> None:
    one, two = network(), network(id="ab" * 32, name="aaaa")
    assert find_network([one, two], "back") is one
    assert find_network([one, two], "aaaa") is two  # a name wins over an id prefix
    assert find_network([one, two], "aba") is two
    assert find_network([one, two], "nope") is None
    with pytest.raises(UsageError, match="ambiguous"):
        find_network([one, two], "a")

# SPDX-License-Identifier: MIT
"""Docker's JSON of a network."""

from __future__ import annotations

from sandbox.engine.containers.network_settings import endpoint_id
from sandbox.engine.networks.inspect import describe_network
from sandbox.models.network import Network
from sandbox.models.record import replace
from tests.unit.engine.boxes import BACKEND, CREATED, member


def test_a_network_shows_its_subnet_and_the_running_containers_on_it() -> None:
    shown = describe_network(BACKEND, [member()])
    assert shown["IPAM"]["Config"] == [{"Subnet": "10.9.0.0/16", "Gateway": "10.9.0.1"}]
    [row] = shown["Containers"].values()
    assert (row["Name"], row["IPv4Address"]) == ("web", "10.9.0.2/16")
    assert row["EndpointID"] == endpoint_id("w" * 64, BACKEND.id, "10.9.0.2")
    assert shown["Labels"] == {"team": "a"}


def test_a_network_without_addresses_has_no_pool() -> None:
    shown = describe_network(Network(id="h" * 64, name="host", created=CREATED, driver="host"), [])
    assert shown["IPAM"] == {"Driver": "default", "Options": None, "Config": []}
    assert shown["Containers"] == {}


def test_a_subnet_without_effect_is_shown_beside_the_true_one() -> None:
    pool = {"Subnet": "fd00::/64"}
    asked = {"IPAM": {"Options": None, "Config": [pool]}, "EnableIPv6": True}
    shown = describe_network(replace(BACKEND, asked=asked), [])
    assert (shown["EnableIPv6"], shown["IPAM"]["Config"]) == (True, [pool])
    assert shown["Pools"] == [{"Subnet": "10.9.0.0/16", "Gateway": "10.9.0.1"}]

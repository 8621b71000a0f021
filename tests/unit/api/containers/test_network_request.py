# SPDX-License-Identifier: MIT
"""Networks and ports in the JSON of a new container."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sandbox.api.bodies import ContainerBody
from sandbox.api.containers.network_request import (
    endpoint_of,
    network_of,
    shown_only,
    split_pools,
)
from sandbox.api.errors import BadRequest
from sandbox.errors import SandboxError
from sandbox.models.endpoints import NetworkFlags


def wanted(host: dict[str, Any] | None = None, **fields: Any) -> NetworkFlags:
    return network_of(msgspec.convert({"HostConfig": host or {}, **fields}, ContainerBody))


def names(flags: NetworkFlags) -> list[str]:
    return [endpoint.network for endpoint in flags.networks]


def test_by_default_a_container_is_on_the_bridge() -> None:
    assert names(wanted()) == ["bridge"]
    assert names(wanted({"NetworkMode": "default"})) == ["bridge"]


def test_the_mode_is_the_first_network_and_the_others_follow() -> None:
    config = {"EndpointsConfig": {"back": {"Aliases": ["db"]}, "front": None}}
    flags = wanted({"NetworkMode": "front"}, NetworkingConfig=config)
    assert names(flags) == ["front", "back"]
    assert flags.networks[1].aliases == ("db",)
    assert names(wanted(NetworkingConfig=config)) == ["back", "front"]


def test_a_container_can_be_without_a_network() -> None:
    assert names(wanted({"NetworkMode": "front"}, NetworkDisabled=True)) == ["none"]


def test_published_ports_are_read() -> None:
    flags = wanted(
        {
            "PortBindings": {
                "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080-8090"}],
                "53/udp": None,
            }
        }
    )
    found = {str(item.port): item for item in flags.config.publications}
    web, dns = found["80/tcp"], found["53/udp"]
    assert (web.host_ip, web.first, web.last) == ("127.0.0.1", 8080, 8090)
    assert (dns.first, dns.last) == (0, 0), "the machine chooses"


@pytest.mark.parametrize(
    ("host", "fields", "words"),
    [
        ({"PortBindings": {"80": [{"HostPort": "x"}]}}, {}, "invalid port specification"),
        ({"PortBindings": {"80": [{"HostPort": "9-8"}]}}, {}, "invalid port specification"),
        ({"PortBindings": {"80": [{"HostPort": "70000"}]}}, {}, "invalid port specification"),
        ({"PortBindings": {"80": [{"HostPort": 80}]}}, {}, "invalid JSON: PortBindings"),
        ({"Dns": ["nope"]}, {}, "invalid DNS address: nope"),
        ({"NetworkMode": 3}, {}, "invalid JSON: HostConfig"),
        ({}, {"NetworkingConfig": {"EndpointsConfig": {"a": {"Aliases": ["x y"]}}}}, "alias"),
        (
            {},
            {
                "NetworkingConfig": {
                    "EndpointsConfig": {"a": {"IPAMConfig": {"IPv6Address": "127.0.0.1"}}}
                }
            },
            "invalid IPv6 address",
        ),
        (
            {},
            {
                "MacAddress": "02:00:00:00:00:01",
                "NetworkingConfig": {"EndpointsConfig": {"a": {"MacAddress": "02:00:00:00:00:02"}}},
            },
            "must match the endpoint-specific MAC",
        ),
    ],
)
def test_invalid_values_are_refused(
    host: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(SandboxError) as caught:
        wanted(host, **fields)
    assert words in caught.value.message


def test_an_endpoint_keeps_its_links() -> None:
    endpoint = endpoint_of("front", {"Links": ["db:database"], "Aliases": ["web"]})
    assert (endpoint.network, endpoint.aliases) == ("front", ("web",))
    assert endpoint.links == (("", "db", "database"),)


def test_endpoint_settings_without_effect_give_a_warning() -> None:
    endpoint = endpoint_of(
        "front", {"IPAMConfig": {"IPv6Address": "fd00::1"}, "DriverOpts": {"a": "b"}}
    )
    assert [line.partition(" has")[0] for line in shown_only([endpoint], [])] == [
        "IPv6Address on front",
        "DriverOpts on front",
    ]


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ([{"Subnet": "nope"}], "nope"),
        ([{"Subnet": "10.0.0.0/24", "Gateway": "10.9.0.1"}], "no matching subnet for gateway"),
    ],
)
def test_an_invalid_address_pool_is_refused(pools: list[dict[str, str]], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        split_pools({"Config": pools})

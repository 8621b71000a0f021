# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError, UsageError
from sandbox.models.endpoints import (
    Endpoint,
    NetworkConfig,
    NetworkFlags,
    all_exposed,
    parse_extra_host,
    parse_link,
    parse_network,
    resolve_flags,
    split_allowed_host,
)
from sandbox.models.ports import parse_publication


def resolved(**flags: object) -> NetworkConfig:
    return resolve_flags(NetworkFlags(**flags), "bridge")


def test_a_network_configuration_is_read_back_from_json() -> None:
    config = NetworkConfig(
        mode="back",
        endpoints=(Endpoint("back", ("db",), "127.5.0.2", (("id", "web", "www"),)),),
        publications=parse_publication("8080:80"),
        dns=("10.0.0.1",),
        extra_hosts=(("a", "1.2.3.4"),),
        log="/tmp/log",
    )
    assert NetworkConfig.from_json(config.to_json()) == config


def test_a_record_without_a_network_means_the_host_network() -> None:
    assert NetworkConfig.from_json(None).mode == "host"


def test_network_flags_become_endpoints() -> None:
    assert resolved().endpoints == (Endpoint("bridge"),)
    assert resolved(networks=("default",)).mode == "bridge"
    config = resolved(networks=("back", "name=front,alias=www,ip=127.5.0.9"), aliases=("db",))
    assert config.endpoints == (
        Endpoint("back", ("db",)),
        Endpoint("front", ("www",), "127.5.0.9"),
    )
    assert config.mode == "back"
    assert resolved(networks=("none",)).endpoints == ()
    assert resolved(networks=("container:web",)).joined == "web"
    assert resolved(links=("/db:store",)).endpoints[0].links == (("", "db", "store"),)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"networks": ("host", "back")}, "cannot attach both user-defined and non-user-defined"),
        ({"networks": ("back", "back")}, 'network "back" is specified multiple times'),
        ({"aliases": ("db",)}, "network-scoped aliases are only supported for user-defined"),
        ({"networks": ("bridge",), "address": "127.5.0.2"}, "user specified IP address is"),
        ({"networks": ("host",), "links": ("db",)}, "host type networking can't be used with"),
        ({"networks": ("host",), "mac": "02:42:ac:11:00:02"}, "mac-address and the network mode"),
        ({"networks": ("container:",)}, "invalid container format container:<name|id>"),
        ({"networks": ("container:a",), "hostname": True}, "hostname and the network mode"),
        ({"networks": ("container:a",), "exposed": ("80",)}, "port exposing and the container"),
        ({"networks": ("container:a",), "links": ("b",)}, "can't be used with links"),
        (
            {"networks": ("container:a",), "config": NetworkConfig(dns=("1.1.1.1",))},
            "dns and the network mode",
        ),
        (
            {"networks": ("container:a",), "config": NetworkConfig(publish_all=True)},
            "port publishing and the container type network mode",
        ),
        (
            {"networks": ("none",), "config": NetworkConfig(allowed_hosts=("a",))},
            "--allow-host and the network mode none",
        ),
        (
            {"networks": ("host",), "config": NetworkConfig(log="/log")},
            "--network-log and the network mode host",
        ),
    ],
)
def test_flags_that_contradict_each_other_are_refused(flags: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(**flags)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "text", ["name=", "alias=a", "name=a,ip=x", "name=a,driver-opt=b", "a,b=c"]
)
def test_an_invalid_network_flag_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_network(text)


@pytest.mark.parametrize("text", ["", ":a", "a:", "a:b:c"])
def test_an_invalid_link_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="bad format for links"):
        parse_link(text)


@pytest.mark.parametrize(
    "text", ["", "name", "name:", ":1.2.3.4", "name:1.2.3", "name:x", "a b:::1"]
)
def test_an_invalid_extra_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="add-host"):
        parse_extra_host(text)


def test_extra_hosts_may_be_ipv4_ipv6_or_the_gateway() -> None:
    assert parse_extra_host("a:host-gateway") == ("a", "host-gateway")
    assert parse_extra_host("a:fe80::1") == ("a", "fe80::1")


@pytest.mark.parametrize("text", ["", ":80", "a:x", "a:0", "a:70000", "[::1]x"])
def test_an_invalid_allowed_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--allow-host"):
        split_allowed_host(text)


@given(st.text(max_size=24))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (parse_network, parse_link, parse_extra_host, split_allowed_host):
        try:
            parse(text)
        except SandboxError:
            continue


def test_exposed_ranges_become_single_ports_without_duplicates() -> None:
    assert all_exposed(["80", "80-82/tcp", "53/udp"]) == ("80/tcp", "81/tcp", "82/tcp", "53/udp")

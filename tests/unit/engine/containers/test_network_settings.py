# SPDX-License-Identifier: MIT
"""NetworkSettings of inspect, and the columns PORTS and NETWORKS of ``ps``."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.network_settings import (
    endpoint_id,
    network_settings,
    networks_text,
    port_bindings,
    ports_text,
)
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.network import Network
from sandbox.models.ports import Port, Publication
from tests.unit.engine.boxes import BACKEND, CREATED, ON_BACKEND, box, member

HOST = Network(id="h" * 64, name="host", created=CREATED, driver="host")


def test_a_running_container_shows_its_address_on_each_network() -> None:
    shown = network_settings(box(network=ON_BACKEND), member(), [BACKEND])
    assert (shown["IPAddress"], shown["IPPrefixLen"]) == ("10.9.0.2", 16)
    place = shown["Networks"]["backend"]
    assert (place["IPAddress"], place["Gateway"]) == ("10.9.0.2", "10.9.0.1")
    assert (place["NetworkID"], place["Aliases"]) == (BACKEND.id, ["db"])
    assert place["DNSNames"] == ["db", "w" * 12]
    assert (
        place["EndpointID"] == shown["EndpointID"] == endpoint_id("w" * 64, BACKEND.id, "10.9.0.2")
    )
    assert place["MacAddress"] == shown["MacAddress"] != ""


@pytest.mark.parametrize("status", ["created", "exited"])
def test_a_container_that_does_not_run_shows_the_wanted_address(status: str) -> None:
    wish = Endpoint("backend", address="10.9.0.9", mac="02:00:00:00:00:01")
    container = box(status=status, network=NetworkConfig(mode="backend", endpoints=(wish,)))
    shown = network_settings(container, member(), [BACKEND])
    assert (shown["IPAddress"], shown["SandboxID"], shown["Ports"]) == ("", "", {})
    place = shown["Networks"]["backend"]
    assert place["IPAMConfig"] == {"IPv4Address": "10.9.0.9"}
    assert (place["IPAddress"], place["MacAddress"]) == ("", "02:00:00:00:00:01")


def test_a_network_that_was_removed_keeps_its_name() -> None:
    shown = network_settings(box(status="exited", network=ON_BACKEND), None, [])
    assert shown["Networks"]["backend"]["NetworkID"] == ""


def test_the_host_s_network_has_no_addresses() -> None:
    shown = network_settings(box(network=NetworkConfig(mode="host")), None, [HOST])
    assert list(shown["Networks"]) == ["host"]
    assert shown["Networks"]["host"]["NetworkID"] == HOST.id
    assert shown["IPAddress"] == ""


def test_published_ports_have_host_ports_and_exposed_ones_have_none() -> None:
    container = box(network=ON_BACKEND, exposed_ports=("80/tcp", "53/udp"))
    shown = network_settings(container, member(), [BACKEND])["Ports"]
    assert shown == {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "53/udp": None}
    assert ports_text(container, {"w" * 64: member()}) == "53/udp, 0.0.0.0:8080->80/tcp"


def test_a_container_that_does_not_run_has_no_ports() -> None:
    container = box(status="exited", network=ON_BACKEND, exposed_ports=("80/tcp",))
    assert ports_text(container, {}) == ""


def test_port_bindings_are_the_user_s_options() -> None:
    wishes = (
        Publication(Port(80, "tcp"), "127.0.0.1", 8080, 8080),
        Publication(Port(80, "tcp"), "", 0, 0),
        Publication(Port(53, "udp"), "", 9000, 9010),
    )
    shown = port_bindings(box(network=NetworkConfig(mode="backend", publications=wishes)))
    assert shown == {
        "80/tcp": [
            {"HostIp": "127.0.0.1", "HostPort": "8080"},
            {"HostIp": "", "HostPort": ""},
        ],
        "53/udp": [{"HostIp": "", "HostPort": "9000-9010"}],
    }


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (NetworkConfig(mode="host"), "host"),
        (NetworkConfig(mode="none"), "none"),
        (ON_BACKEND, "backend"),
        (NetworkConfig(mode="a", endpoints=(Endpoint("a"), Endpoint("b"))), "a,b"),
    ],
)
def test_ps_names_the_networks(network: NetworkConfig, text: str) -> None:
    assert networks_text(box(network=network)) == text

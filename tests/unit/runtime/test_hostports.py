# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import socket

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.models.ports import Port, Publication, Published, parse_publication
from sandbox.runtime import hostports

HERE = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 256}.9"


def test_a_guarded_address_is_had_once_and_free_again_when_its_holder_is_gone() -> None:
    keep = hostports.guard(HERE)
    assert keep is not None
    assert hostports.guard(HERE) is None
    keep.close()
    again = hostports.guard(HERE)
    assert again is not None
    again.close()


def test_a_port_that_somebody_listens_on_is_refused() -> None:
    with socket.socket() as other:
        other.bind((HERE, 0))
        other.listen()
        port = other.getsockname()[1]
        wish = Publication(Port(80), HERE, port, port)
        with pytest.raises(RuntimeFailed) as caught:
            hostports.settle([wish], [], default_ip="")
    assert caught.value.exit_code == 125
    text = f"failed to bind host port {HERE}:{port}/tcp: address already in use"
    assert caught.value.message == text


def test_a_port_of_a_range_is_the_first_that_is_free() -> None:
    with socket.socket() as other:
        other.bind((HERE, 0))
        other.listen()
        port = other.getsockname()[1]
        wish = Publication(Port(80), HERE, port, min(port + 20, 65535))
        [found] = hostports.settle([wish], [], default_ip="")
    assert port < found.host_port <= port + 20


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_port_without_a_wish_is_free_and_below_those_of_outgoing_connections(kind: str) -> None:
    [first, second] = hostports.settle(
        [Publication(Port(80, kind)), Publication(Port(81, kind))], [], default_ip=HERE
    )
    assert first.host_ip == HERE
    assert first.host_port != second.host_port
    assert first.host_port >= 1024


def test_a_port_that_another_container_has_is_refused_whoever_listens() -> None:
    taken = [Published(Port(80), "0.0.0.0", 8080)]
    wishes = parse_publication("127.0.0.1:8080:80")
    with pytest.raises(RuntimeFailed, match="failed: port is already allocated"):
        hostports.settle(wishes, taken, default_ip="")
    hostports.settle(parse_publication(f"{HERE}::80/udp"), taken, default_ip="")


@pytest.mark.skipif(hostports.low_ports() < 2, reason="every port may be bound here")
def test_a_port_that_needs_root_is_refused() -> None:
    wish = Publication(Port(80), HERE, hostports.low_ports() - 1, hostports.low_ports() - 1)
    with pytest.raises(RuntimeFailed, match="of the machine need root"):
        hostports.settle([wish], [], default_ip="")


def test_an_address_that_is_not_the_machine_s_is_refused() -> None:
    with pytest.raises(RuntimeFailed, match="cannot assign requested address"):
        hostports.settle(parse_publication("192.0.2.1:8080:80"), [], default_ip="")


def test_without_an_address_a_port_is_had_on_all_of_both_families_at_one_number() -> None:
    [four, six] = hostports.settle([Publication(Port(80))], [], default_ip="")
    assert (four.host_ip, six.host_ip) == ("0.0.0.0", "::")
    assert four.host_port == six.host_port


def test_places_of_two_families_do_not_meet_and_of_one_they_do() -> None:
    taken = [Published(Port(80), "::", 8080)]
    hostports.settle(parse_publication("127.0.0.1::80"), taken, default_ip="")
    with pytest.raises(RuntimeFailed, match=r"Bind for \[::1\]:8080 failed: port is already"):
        hostports.settle(parse_publication("[::1]:8080:80"), taken, default_ip="")

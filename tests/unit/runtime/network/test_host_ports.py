# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.models.ports import Port, Publication, Published, parse_publication
from sandbox.runtime import rundir
from sandbox.runtime.network import host_ports
from tests.harness.network import ports

HERE = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 256}.9"

Settle = Callable[..., tuple[Published, ...]]


@pytest.fixture
def settle() -> Iterator[Settle]:
    """Reserve ports for a container of a store; they are released after the test."""
    everybody: list[host_ports.Held] = []

    def settle(
        wishes: Iterable[Publication], taken: Iterable[Published] = (), default_ip: str = ""
    ) -> tuple[Published, ...]:
        everybody.append(host_ports.settle(wishes, taken, default_ip=default_ip))
        return everybody[-1].published

    yield settle
    for held in everybody:
        held.close()


@pytest.fixture(name="free_ports")
def two_free_ports() -> int:
    """Return the first of two consecutive free ports."""
    return ports.free_ports(2)


def test_a_reserved_address_is_exclusive_until_its_holder_ends() -> None:
    keep = host_ports.guard(HERE)
    assert keep is not None
    assert host_ports.guard(HERE) is None
    keep.close()
    again = host_ports.guard(HERE)
    assert again is not None
    again.close()


def test_a_reserved_address_refuses_connections_like_a_free_one() -> None:
    keep = host_ports.guard(HERE)
    assert keep is not None
    with closing(keep), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(100)
        sender.connect((HERE, host_ports.GUARD_PORT))
        sender.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            sender.recv(1)


def test_a_port_with_a_listener_is_refused(settle: Settle) -> None:
    with socket.socket() as other:
        other.bind((HERE, 0))
        other.listen()
        port = other.getsockname()[1]
        wish = Publication(Port(80), HERE, port, port)
        with pytest.raises(RuntimeFailed) as caught:
            settle([wish])
    assert caught.value.exit_code == 125
    text = f"failed to bind host port {HERE}:{port}/tcp: address already in use"
    assert caught.value.message == text


def test_the_first_free_port_of_a_range_is_used(settle: Settle) -> None:
    with socket.socket() as other:
        other.bind((HERE, 0))
        other.listen()
        port = other.getsockname()[1]
        wish = Publication(Port(80), HERE, port, min(port + 20, 65535))
        [found] = settle([wish])
    assert port < found.host_port <= port + 20


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_an_automatic_port_is_free_and_below_the_ephemeral_ports(kind: str, settle: Settle) -> None:
    [first, second] = settle(
        [Publication(Port(80, kind)), Publication(Port(81, kind))], default_ip=HERE
    )
    assert first.host_ip == HERE
    assert first.host_port != second.host_port
    assert first.host_port >= 1024


def test_a_port_of_another_container_is_refused_with_or_without_a_listener(settle: Settle) -> None:
    taken = [Published(Port(80), "0.0.0.0", 8080)]
    wishes = parse_publication("127.0.0.1:8080:80")
    with pytest.raises(RuntimeFailed, match="failed: port is already allocated"):
        settle(wishes, taken)
    settle(parse_publication(f"{HERE}::80/udp"), taken)


@pytest.mark.skipif(host_ports.low_ports() < 2, reason="every port may be bound here")
def test_a_port_that_needs_root_is_refused(settle: Settle) -> None:
    wish = Publication(Port(80), HERE, host_ports.low_ports() - 1, host_ports.low_ports() - 1)
    with pytest.raises(RuntimeFailed, match="of the machine need root"):
        settle([wish])


def test_an_address_that_the_host_does_not_have_is_refused(settle: Settle) -> None:
    with pytest.raises(RuntimeFailed, match="cannot assign requested address"):
        settle(parse_publication("192.0.2.1:8080:80"))


def test_without_an_address_a_port_is_published_on_ipv4_and_ipv6_with_one_number(
    settle: Settle,
) -> None:
    [four, six] = settle([Publication(Port(80))])
    assert (four.host_ip, six.host_ip) == ("0.0.0.0", "::")
    assert four.host_port == six.host_port


def test_addresses_conflict_only_within_one_family(settle: Settle) -> None:
    taken = [Published(Port(80), "::", 8080)]
    settle(parse_publication("127.0.0.1::80"), taken)
    with pytest.raises(RuntimeFailed, match=r"Bind for \[::1\]:8080 failed: port is already"):
        settle(parse_publication("[::1]:8080:80"), taken)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("address", [HERE, "::1", ""], ids=["IPv4", "IPv6", "all"])
def test_two_stores_never_choose_the_same_automatic_port(
    settle: Settle, monkeypatch: pytest.MonkeyPatch, address: str, kind: str
) -> None:
    place = os.getpid().to_bytes(4, "little")
    monkeypatch.setattr(host_ports.os, "urandom", lambda _: place[:2])  # both try it first
    wish = Publication(Port(80, kind), address)
    one, two = ({row.host_port for row in settle([wish])} for _ in range(2))
    assert len(one) == len(two) == 1
    assert one != two


def test_two_stores_share_a_range(settle: Settle, free_ports: int) -> None:
    wish = Publication(Port(80), HERE, free_ports, free_ports + 1)
    [one], [two] = settle([wish]), settle([wish])
    assert (one.host_port, two.host_port) == (free_ports, free_ports + 1)


def test_a_requested_port_is_refused_if_another_store_listens_on_it(
    settle: Settle, free_ports: int
) -> None:
    wish = Publication(Port(80), "::1", free_ports, free_ports)
    settle([wish])
    with pytest.raises(RuntimeFailed, match=r"failed to bind host port \[::1\]:.*in use"):
        settle([wish])


def test_a_released_port_can_be_used_again(settle: Settle, free_ports: int) -> None:
    wish = Publication(Port(80), "", free_ports, free_ports + 1)
    first = host_ports.settle([wish], [], default_ip="")
    places = first.published
    for _, sock in first.take_relayed():
        sock.close()
    first.close()
    assert settle([wish]) == places


def test_an_address_can_be_reserved_though_somebody_has_the_port_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(rundir, "_MEMORY", str(tmp_path))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as everywhere:
        everywhere.bind(("0.0.0.0", 0))
        monkeypatch.setattr(host_ports, "GUARD_PORT", everywhere.getsockname()[1])
        keep = host_ports.guard(HERE)
        assert keep is not None
        assert host_ports.guard(HERE) is None
        keep.close()
        again = host_ports.guard(HERE)
        assert again is not None
        again.close()

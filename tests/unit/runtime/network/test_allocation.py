# SPDX-License-Identifier: MIT
from __future__ import annotations

import os

import pytest

from sandbox.errors import NetworkNotFound, RuntimeFailed, UsageError
from sandbox.models.addresses import Subnet, format_address, parse_subnet
from sandbox.models.container import ContainerConfig
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.network import Network
from sandbox.models.ports import parse_publication
from sandbox.native.network import Allowed
from sandbox.runtime.network import allocation
from sandbox.runtime.network.members import LiveEndpoint, Member

BASE = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 256}.0"
SMALL = parse_subnet(f"{BASE}/29")
DRAFT = Member(
    id="a" * 64, name="one", hostname="box", number=0, address="", pid=1, pid_start=1, run_dir="/x"
)


def network(name: str = "back", subnet: Subnet = SMALL, **more: object) -> Network:
    given = {"id": name * 8, "created": "", "number": 2, "gateway": subnet.base + 1}
    return Network(name=name, subnet=subnet, **{**given, **more})


def config(*endpoints: Endpoint, **more: object) -> ContainerConfig:
    return ContainerConfig(
        id="a" * 64,
        name="one",
        created="",
        image="host",
        image_id="",
        entrypoint=(),
        cmd=("true",),
        exposed_ports=("80/tcp", "81/tcp"),
        network=NetworkConfig(mode="back", endpoints=endpoints, **more),
    )


def choose(wanted: ContainerConfig, networks: list[Network], present: list[Member] = []) -> Member:  # noqa: B006
    member, keep = allocation.choose(DRAFT, wanted, networks, present)
    keep.close()
    return member


def present(address: str, network_id: str = "backbackbackbackbackbackbackback") -> Member:
    place = LiveEndpoint(network_id, 2, "back", address, 29)
    return Member(
        id=address,
        name=address,
        hostname="x",
        number=1,
        address=address,
        pid=1,
        pid_start=1,
        run_dir="/y",
        endpoints=(place,),
    )


def test_the_first_free_address_is_used_but_never_the_gateway_s() -> None:
    second = format_address(SMALL.base + 2)
    assert choose(config(Endpoint("back")), [network()]).address == second
    third = choose(config(Endpoint("back")), [network()], [present(second)])
    assert third.address == third.endpoints[0].address == format_address(SMALL.base + 3)


def test_a_full_network_is_reported() -> None:
    everybody = [present(format_address(SMALL.base + index)) for index in range(2, 7)]
    with pytest.raises(RuntimeFailed, match="no available IPv4 addresses on this network"):
        choose(config(Endpoint("back")), [network()], everybody)


def test_an_address_can_be_requested() -> None:
    wanted = format_address(SMALL.base + 5)
    assert choose(config(Endpoint("back", address=wanted)), [network()]).address == wanted
    with pytest.raises(RuntimeFailed, match="Address already in use"):
        choose(config(Endpoint("back", address=wanted)), [network()], [present(wanted)])
    with pytest.raises(RuntimeFailed, match="no configured subnet contains IP address"):
        choose(config(Endpoint("back", address="127.1.1.1")), [network()])


def test_the_first_and_last_address_of_a_subnet_are_refused() -> None:
    for number in (SMALL.base, SMALL.last):
        with pytest.raises(RuntimeFailed, match="no configured subnet"):
            choose(config(Endpoint("back", address=format_address(number))), [network()])


def test_unknown_and_incompatible_networks_are_refused() -> None:
    with pytest.raises(NetworkNotFound, match="network nope not found"):
        choose(config(Endpoint("nope")), [network()])
    host = Network(id="h", name="host", created="", driver="host")
    with pytest.raises(UsageError, match="conflicting options"):
        choose(config(Endpoint("back"), Endpoint("host")), [network(), host])


def test_internal_networks_reach_nothing_outside_and_publish_no_ports() -> None:
    inner = network("inner", internal=True)
    wanted = config(Endpoint("inner"), publications=parse_publication("8080:80"))
    member = choose(wanted, [inner])
    assert (member.egress, member.published, member.endpoints[0].gateway) == ("none", (), "")
    other = network("outer", parse_subnet(f"{BASE[:-1]}64/29"), number=3)
    both = choose(config(Endpoint("inner"), Endpoint("outer")), [inner, other])
    assert both.egress == "free"


def test_publish_all_publishes_exposed_ports_that_are_not_published() -> None:
    wanted = config(
        Endpoint("back"), publications=parse_publication(f"{BASE[:-1]}5::80"), publish_all=True
    )
    member = choose(wanted, [network()])
    assert [str(row.port) for row in member.published] == ["80/tcp", "81/tcp", "81/tcp"]
    assert [row.host_ip for row in member.published[1:]] == ["0.0.0.0", "::"]
    assert member.published[0].host_ip.startswith("127.")


def test_a_link_to_a_container_that_does_not_run_is_refused() -> None:
    wanted = config(Endpoint("back", links=(("b" * 64, "db", "store"),)))
    with pytest.raises(RuntimeFailed, match="Cannot link to a non running container: /db AS"):
        choose(wanted, [network()])


def test_a_container_without_networks_has_an_address_for_its_own_loopback() -> None:
    wanted = config()
    member = choose(wanted, [network()])
    assert (member.egress, member.endpoints) == ("none", ())
    assert member.address.startswith("127.")


def test_allowed_hosts_are_addresses_or_resolved_names() -> None:
    found = allocation.resolve_allowed(["10.0.0.0/8", "[::1]:80", "localhost:5432"])
    assert {row.network for row in found.rows} >= {"10.0.0.0/8", "::1", "127.0.0.1"}
    assert ("127.0.0.1", "localhost") in found.names
    with pytest.raises(RuntimeFailed, match=r"--allow-host a\.\.b: cannot be resolved"):
        allocation.resolve_allowed(["a..b"])


def test_allowed_hosts_may_be_names_from_extra_hosts() -> None:
    own = [("far", "192.0.2.9"), ("box", "host-gateway")]
    found = allocation.resolve_allowed(["far:80", "box", "host.docker.internal:22"], own)
    assert found.names == ()
    places = [
        LiveEndpoint("a" * 64, 1, "back", "127.9.4.2", 22, "127.9.4.1"),
        LiveEndpoint("b" * 64, 2, "inner", "127.9.8.2", 22),
    ]
    assert allocation.at_gateways(found.rows, places) == (
        Allowed("192.0.2.9", 80),
        Allowed("127.9.4.1"),
        Allowed("127.9.4.1", 22),
    )
    with pytest.raises(RuntimeFailed, match="the names have 129 addresses, 128 is the most"):
        allocation.at_gateways([Allowed("host-gateway")] * 129, places)

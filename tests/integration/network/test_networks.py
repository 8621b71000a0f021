# SPDX-License-Identifier: MIT
"""Networks: containers with their own addresses, names and ports."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import murder, record
from tests.harness.network.members import ECHO, SERVER, address, call, hosts, resolved, serve
from tests.harness.network.ports import free_port
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_two_containers_on_the_same_port_reach_each_other_by_name(net: Sandbox) -> None:
    serve(net, "one", "--network", "back", "--network-alias", "db")
    serve(net, "two", "--network", "back", "--hostname", "box")
    first, second = address(net, "one", "back"), address(net, "two", "back")
    assert call(net, "one", "two") == f"two {first}"
    assert call(net, "two", "one") == f"one {second}"
    assert call(net, "two", "db") == f"one {second}"
    assert call(net, "one", "box") == f"two {first}"
    assert call(net, "one", "127.0.0.1") == "one 127.0.0.1"
    short = net.ok("inspect", "-f", "{{.Id}}", "two")[:12]
    assert call(net, "one", short) == f"two {first}"


def test_a_server_at_a_published_port_sees_its_clients_address(net: Sandbox) -> None:
    port = free_port()
    serve(net, "web", "--network", "back", "-p", f"{port}:80", port=80)
    with socket.socket() as sock:
        sock.bind(("127.45.67.89", 0))
        sock.connect(("127.0.0.1", port))
        assert sock.recv(100) == b"web 127.45.67.89"
    assert net.ok("port", "web") == f"80/tcp -> 0.0.0.0:{port}\n80/tcp -> [::]:{port}\n"
    assert net.ok("port", "web", "80") == f"0.0.0.0:{port}\n[::]:{port}\n"
    assert net.call("port", "web", "81").returncode == 1
    places = f"0.0.0.0:{port}->80/tcp, [::]:{port}->80/tcp\n"
    assert net.ok("ps", "--format", "{{.Ports}}") == places
    shown = json.loads(net.ok("inspect", "web"))[0]
    ports = {"80/tcp": [{"HostIp": ip, "HostPort": str(port)} for ip in ("0.0.0.0", "::")]}
    assert shown["NetworkSettings"]["Ports"] == ports
    # Other containers on its network reach it at its own address and port.
    serve(net, "other", "--network", "back")
    assert call(net, "other", "web", 80).startswith("web 127.")


def test_a_host_port_in_use_is_refused_before_the_start(net: Sandbox) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        done = net.call("run", "--name", "web", "-p", f"127.0.0.1:{port}:80", "host", "true")
    assert done.returncode == 125
    assert f"127.0.0.1:{port}/tcp: address already in use" in done.stderr.decode()
    port = free_port()
    serve(net, "first", "-p", f"{port}:80", port=80)
    done = net.call("run", "-d", "--name", "second", "-p", f"{port}:80", "host", "true")
    assert done.returncode == 125
    assert b"port is already allocated" in done.stderr
    assert net.ok("inspect", "-f", "{{.State.Status}}", "second") == "created\n"
    assert net.ok("network", "inspect", "bridge", "-f", "{{len .Containers}}") == "1\n"


def test_publish_all_gives_exposed_ports_free_host_ports(net: Sandbox) -> None:
    serve(net, "web", "-P", "--expose", "5432", "--expose", "99/udp")
    shown = json.loads(net.ok("inspect", "web"))[0]["NetworkSettings"]["Ports"]
    assert set(shown) == {"5432/tcp", "99/udp"}
    row, six = shown["5432/tcp"]
    assert row["HostPort"] == six["HostPort"]
    with socket.create_connection(("127.0.0.1", int(row["HostPort"]))) as sock:
        assert sock.recv(100).startswith(b"web")


def test_a_published_udp_port_answers(net: Sandbox) -> None:
    port = free_port()
    serve(net, "echo", "-p", f"127.0.0.1:{port}:7777/udp", script=ECHO)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(100)
        sock.connect(("127.0.0.1", port))
        sock.send(b"hello")
        assert sock.recv(100) == b"HELLO"


SHOUT = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(100)
sock.sendto(b"hello", (sys.argv[1], 7777))
print(*sock.recvfrom(100))
"""


def test_datagrams_reach_a_container_by_name_and_are_answered(net: Sandbox) -> None:
    serve(net, "echo", "--network", "back", script=ECHO)
    own = address(net, "echo", "back")
    words = ("/usr/bin/python3", "-c", SHOUT)
    output = net.ok("run", "--rm", "--network", "back", "host", *words, "echo")
    assert output == f"b'HELLO' ('{own}', 7777)\n"
    assert net.ok("exec", "echo", *words, "127.0.0.1") == "b'HELLO' ('127.0.0.1', 7777)\n"


def test_an_ipv6_server_is_reached_by_name_from_its_container_and_when_published(
    net: Sandbox,
) -> None:
    port = free_port()
    six = SERVER.replace("socket.socket()", "socket.socket(socket.AF_INET6)").replace(
        "0.0.0.0", "::"
    )
    only = six.replace(
        "listener.bind",
        "listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\nlistener.bind",
    )
    serve(net, "six", "--network", "back", "-p", f"{port}:80", port=80, script=six)
    serve(net, "only", "--network", "back", port=80, script=only)
    assert call(net, "only", "six", 80) == f"six ::ffff:{address(net, 'only', 'back')}"
    assert call(net, "six", "::1", 80) == "six ::1"
    assert call(net, "six", "127.0.0.1", 80) == "six ::ffff:127.0.0.1"
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, port)) as sock:
            assert sock.recv(100).startswith(b"six ")
    # A server that only listens on IPv6 is reached only from its own container.
    assert call(net, "only", "::1", 80) == "only ::1"
    assert call(net, "only", "127.0.0.1", 80) == "ECONNREFUSED"
    assert call(net, "six", "only", 80) == "ECONNREFUSED"


def test_containers_without_a_common_network_do_not_reach_each_other(net: Sandbox) -> None:
    serve(net, "one", "--network", "back")
    serve(net, "two", "--network", "front")
    assert call(net, "two", "one") == "no such name"
    assert call(net, "two", address(net, "one", "back")) == "EHOSTUNREACH"
    net.ok("network", "connect", "--alias", "uno", "front", "one")
    assert call(net, "two", "uno") == f"one {address(net, 'two', 'front')}"
    assert call(net, "one", "two") == f"two {address(net, 'one', 'front')}"
    members = json.loads(net.ok("network", "inspect", "front"))[0]["Containers"].values()
    assert {member["Name"] for member in members} == {"one", "two"}
    net.ok("network", "disconnect", "front", "one")
    assert call(net, "two", "uno") == "no such name"
    assert call(net, "two", address(net, "one", "back")) == "EHOSTUNREACH"


def test_names_on_the_default_network_need_a_link(net: Sandbox) -> None:
    serve(net, "one")
    serve(net, "two", "--link", "one:uno")
    assert call(net, "two", "uno") == f"one {address(net, 'two', 'bridge')}"
    assert call(net, "one", address(net, "two", "bridge")).startswith("two")
    assert resolved(net, "one", "two") == ""
    done = net.call("run", "--rm", "--link", "nobody", "host", "true")
    assert done.returncode == 125
    assert b"could not get container for nobody" in done.stderr


def test_a_removed_link_no_longer_gives_a_name(net: Sandbox) -> None:
    serve(net, "one")
    serve(net, "two", "--link", "one:uno")
    assert net.ok("rm", "--link", "/two/uno") == "/two/uno\n"
    assert call(net, "two", "uno") == "no such name"
    assert sorted(net.ok("ps", "--format", "{{.Names}}").split()) == ["one", "two"]
    again = net.call("rm", "--link", "two/uno")
    assert (again.returncode, b"no such link" in again.stderr.lower()) == (1, True)


def test_a_program_sees_the_chosen_mac_address(net: Sandbox) -> None:
    wanted = "02:42:ac:11:00:0a"
    said = net.ok("run", "--rm", "--mac-address", wanted, "host", "ip", "link", "show", "eth0")
    assert wanted in said
    net.ok("create", "--name", "made", "--mac-address", wanted, "--network", "back", "host", "true")
    shown = json.loads(net.ok("inspect", "made"))[0]["NetworkSettings"]["Networks"]["back"]
    assert shown["MacAddress"] == wanted
    odd = net.call("run", "--rm", "--mac-address", "02:42", "host", "true")
    assert odd.returncode == 125


def test_names_appear_and_disappear_with_their_containers(net: Sandbox) -> None:
    serve(net, "one", "--network", "back")
    before = hosts(net, "one")
    net.ok("exec", "one", "sh", "-c", "echo 192.0.2.1 mine >> /etc/hosts")
    net.ok("run", "-d", "--name", "two", "--network", "back", "host", "sleep", "100")
    assert resolved(net, "one", "two") == address(net, "two", "back")
    net.ok("rename", "two", "zwei")
    assert resolved(net, "one", "two") == ""
    assert resolved(net, "one", "zwei") == address(net, "zwei", "back")
    net.ok("rm", "-f", "zwei")
    assert resolved(net, "one", "zwei") == ""
    assert hosts(net, "one") == {**before, "mine": "192.0.2.1"}


def test_dns_and_host_flags_are_in_resolv_conf_and_hosts(net: Sandbox) -> None:
    flags = ("--dns", "192.0.2.7", "--dns-search", "example.org", "--dns-option", "ndots:2")
    flags += ("--add-host", "far:192.0.2.9", "--add-host", "gate:host-gateway")
    output = net.ok("run", "--rm", *flags, "host", "cat", "/etc/resolv.conf", "/etc/hosts")
    assert "nameserver 192.0.2.7\nsearch example.org\noptions ndots:2\n" in output
    assert "192.0.2.9\tfar\n" in output
    gateway = json.loads(net.ok("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]["Gateway"]
    assert f"{gateway}\tgate\n" in output
    assert f"{gateway}\thost.docker.internal\n" in output


def test_network_host_uses_the_hosts_network(net: Sandbox) -> None:
    port = free_port()
    serve(net, "plain", "--network", "host", port=port)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        assert sock.recv(100) == b"plain 127.0.0.1"
    warned = net.call("run", "--rm", "--network", "host", "-p", "80", "host", "true")
    assert b"Published ports are discarded when using host network mode" in warned.stderr


def test_a_container_may_share_the_network_of_another(net: Sandbox) -> None:
    serve(net, "one", "--network", "back", "--hostname", "box")
    serve(net, "two", "--network", "back")
    net.ok("run", "-d", "--name", "side", "--network", "container:one", "host", "sleep", "100")
    assert call(net, "side", "127.0.0.1") == "one 127.0.0.1"
    assert call(net, "side", "two") == f"two {address(net, 'one', 'back')}"
    assert net.ok("exec", "side", "hostname") == "box\n"
    net.ok("stop", "-t", "0", "one")
    assert call(net, "side", address(net, "two", "back")) == "ENETUNREACH"
    done = net.call("run", "--rm", "--network", "container:one", "host", "true")
    assert done.returncode == 125
    assert b"cannot join network of a non running container" in done.stderr


def test_a_network_in_use_cannot_be_removed(net: Sandbox) -> None:
    serve(net, "one", "--network", "back")
    done = net.call("network", "rm", "back")
    assert done.returncode == 1
    assert b"network back has active endpoints" in done.stderr
    net.ok("stop", "-t", "0", "one")
    assert net.ok("network", "rm", "back") == "back\n"
    done = net.call("start", "one")
    assert done.returncode == 1
    assert b"network back not found" in done.stderr
    assert net.ok("network", "prune", "-f") == "Deleted Networks:\nfront\n\n"
    net.ok("network", "create", "unused")
    assert "Deleted Networks:\nunused\n" in net.ok("system", "prune", "-f")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "--network", "nope", "host", "true"), 125, "network nope not found"),
        (("network", "rm", "nope"), 1, "network nope not found"),
        (("network", "inspect", "nope"), 1, "network nope not found"),
        (("network", "rm", "bridge"), 1, "bridge is a pre-defined network and cannot be removed"),
        (("network", "create", "back"), 1, "network with name back already exists"),
        (("network", "create", "--subnet", "10.0.0.0/8", "x"), 1, "127.0.0.0/8"),
        (("network", "connect", "back", "nobody"), 1, "no such container: nobody"),
        (("run", "-p", "x:80", "host", "true"), 125, "invalid hostPort: x"),
        (("run", "--network", "host", "--network", "back", "host", "true"), 125, "conflicting"),
        (("run", "--ip", "127.1.1.1", "host", "true"), 125, "user specified IP address"),
        (("run", "-p", "[::1]x:80:80", "host", "true"), 125, "invalid IP address: [::1]x"),
    ],
)
def test_mistakes_are_reported_in_one_line(
    net: Sandbox, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = net.call(*arguments)
    assert done.returncode == code
    [line] = done.stderr.decode().splitlines()
    assert words in line


def test_a_chosen_address_stays_after_a_restart(net: Sandbox) -> None:
    net.ok("network", "create", "--subnet", "127.251.7.0/24", "own")
    serve(net, "one", "--network", "own", "--ip", "127.251.7.77")
    serve(net, "two", "--network", "own")
    assert address(net, "one", "own") == "127.251.7.77"
    net.ok("restart", "-t", "0", "one")
    until(lambda: net.ok("logs", "one").count("up\n") == 2)
    assert address(net, "one", "own") == "127.251.7.77"
    assert call(net, "two", "one") == f"one {address(net, 'two', 'own')}"


def test_a_killed_container_frees_its_address_and_ports(net: Sandbox) -> None:
    port = free_port()
    net.ok("network", "create", "--subnet", "127.252.7.0/29", "tiny")
    serve(net, "one", "--network", "tiny", "--ip", "127.252.7.3", "-p", f"{port}:5432")
    murder(net, "one")
    serve(net, "two", "--network", "tiny", "--ip", "127.252.7.3", "-p", f"{port}:5432")
    assert address(net, "two", "tiny") == "127.252.7.3"
    assert resolved(net, "two", "one") == ""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        assert sock.recv(100).startswith(b"two")
    assert net.ok("network", "inspect", "tiny", "-f", "{{len .Containers}}") == "1\n"


def test_system_prune_removes_what_containers_of_a_deleted_store_left(
    net: Sandbox, tmp_path: pathlib.Path
) -> None:
    def places(engine: Sandbox) -> list[pathlib.Path]:
        """Return the run directory of `one`, its socket and its store's network directory."""
        run_dir = pathlib.Path(record(engine, "one")["runDir"])
        networks = pathlib.Path(f"/dev/shm/sandbox-{os.getuid()}").glob("net-*")
        [own] = [path for path in networks if store_of(path) == str(engine.store)]
        return [run_dir, run_dir.with_suffix(".sock"), own]

    def store_of(networks: pathlib.Path) -> str | None:
        """Return the store of a network directory, or None if another test just removed it."""
        with contextlib.suppress(FileNotFoundError):
            return os.readlink(networks / "store")
        return None

    gone, alive = (Sandbox(tmp_path / name, net.environ) for name in ("gone", "alive"))
    serve(gone, "one")
    serve(alive, "one")
    try:
        left, kept = places(gone), places(alive)
        murder(gone, "one")
        net.ok("system", "prune", "-f")
        assert all(path.exists() for path in left)  # the store still exists and may use it
        shutil.rmtree(gone.store)
        net.ok("system", "prune", "-f")
        assert not any(path.exists() for path in left)
        assert all(path.exists() for path in kept)
        assert call(alive, "one", "127.0.0.1") == "one 127.0.0.1"
    finally:
        alive.ok("rm", "-f", "one")


def test_containers_that_start_at_once_get_different_addresses(net: Sandbox) -> None:
    serve(net, "one", "--network", "back")

    def start(number: int) -> None:
        name = f"many-{number}"
        net.ok("run", "-d", "--name", name, "--network", "back", "-p", "80", "host", "sleep", "900")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(start, range(16)))
    members = json.loads(net.ok("network", "inspect", "back"))[0]["Containers"]
    assert len({member["IPv4Address"] for member in members.values()}) == 17
    for name in ("many-0", "many-15"):
        assert resolved(net, "one", name) == address(net, name, "back")
    ports = net.ok("ps", "--format", "{{.Ports}}").split("\n")
    assert len({text for text in ports if "->" in text}) == 16


def test_two_stores_use_different_addresses(net: Sandbox, tmp_path: pathlib.Path) -> None:
    other = Sandbox(tmp_path / "other", net.environ)
    serve(net, "one")
    serve(other, "one")
    try:
        assert address(net, "one", "bridge") != address(other, "one", "bridge")
        assert call(net, "one", "127.0.0.1") == call(other, "one", "127.0.0.1") == "one 127.0.0.1"
    finally:
        other.ok("rm", "-f", "one")


def test_network_ls_and_ps_filter_and_list_networks(net: Sandbox) -> None:
    net.ok("network", "create", "--label", "kind=test", "marked")
    names = net.ok("network", "ls", "--format", "{{.Name}} {{.Driver}}").splitlines()
    assert names == [
        "back bridge",
        "bridge bridge",
        "front bridge",
        "host host",
        "marked bridge",
        "none null",
    ]
    assert net.ok("network", "ls", "-q", "-f", "label=kind").count("\n") == 1
    assert net.ok("network", "ls", "-q", "-f", "label=kind", "-f", "label=other") == ""
    assert net.ok("network", "ls", "--format", "{{.Name}}", "-f", "type=builtin").split() == [
        "bridge",
        "host",
        "none",
    ]
    serve(net, "one", "--network", "back", "--network", "front")
    assert net.ok("ps", "-q", "--filter", "network=front").count("\n") == 1
    assert net.ok("ps", "--format", "{{.Networks}}") == "back,front\n"
    assert address(net, "one", "back") != address(net, "one", "front")

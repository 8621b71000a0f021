# SPDX-License-Identifier: MIT
"""A container with its own addresses sees its own interfaces, routes and sockets."""

from __future__ import annotations

import pathlib
import re
import socket

import pytest

from tests.harness import oracle as oracles
from tests.harness.network.boxes import Box, Net, pool

pytestmark = pytest.mark.guest

KERNEL_HEADERS = ("-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu")
COMPILERS = ([], ["musl-gcc", "-static", *KERNEL_HEADERS])
LISTENERS = """
import socket, subprocess, sys
four = socket.create_server(('', 8080))
low = socket.create_server(('127.0.0.1', 81))
six = socket.create_server(('::1', 83), family=socket.AF_INET6)
dual = socket.create_server(('::', 82), family=socket.AF_INET6, dualstack_ipv6=True)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('', 53))
client = socket.create_connection(('127.0.0.1', 8080))
subprocess.run(sys.argv[1:], check=True)
"""


def shell(box: Box, command: str) -> str:
    done = box.run(["/bin/sh", "-c", f"PATH=$PATH:/usr/sbin:/sbin; {command}"])
    assert done.status == 0, done
    return done.output


@pytest.mark.parametrize("compiler", COMPILERS, ids=["glibc", "musl"])
def test_a_program_finds_the_containers_interfaces(net: Net, guest_program, compiler) -> None:
    program = guest_program("interfaces", *compiler)
    with net.box((1, 2), (2, 7)) as box:
        lines = box.run([program, "getifaddrs"]).output.splitlines()
    assert "lo 127.0.0.1 255.0.0.0 loopback" in lines
    assert f"eth0 {pool(1)}.2 255.255.255.0 " in lines
    assert f"eth1 {pool(2)}.7 255.255.255.0 " in lines
    names = {line.split()[0] for line in lines if line.count(" ") == 3 and " is " not in line}
    assert names == {"lo", "eth0", "eth1"}
    assert lines[-4:] == ["1 is lo", "2 is eth0", "3 is eth1", "lo is 1, nothing is 0"]


def test_netlink_and_ioctl_requests_are_answered_as_by_the_kernel(
    net: Net, guest_program, tmp_path: pathlib.Path
) -> None:
    program = guest_program("interfaces")
    expected = oracles.native([program, "requests"], tmp_path)
    with net.box((1, 2)) as box:
        actual = box.run([program, "requests"])
        ioctl = box.run([program, "ioctl"]).output.splitlines()
    # The kernel has audit sockets, a container has none.
    expected = oracles.Seen(0, expected.output.replace("audit 1", "audit 0"), "")
    assert actual.output == expected.output
    assert ioctl == [
        "lo 127.0.0.1",
        "  mask 255.0.0.0",
        "  up 1",
        f"eth0 {pool(1)}.2",
        "  mask 255.255.255.0",
        "  up 1",
        "ioctl(fd, SIOCGIFADDR, &one) = ENODEV",
        "ioctl(fd, SIOCGIFADDR, 8) = EFAULT",
        "ioctl(-1, SIOCGIFADDR, &one) = EBADF",
        "ioctl(fd, SIOCSIFMTU, &one) = EPERM",
        "ioctl(pipes[0], SIOCGIFADDR, &one) = ENOTTY",
        "ioctl(pipes[0], FIONREAD, &fd) = 0",
    ]


@pytest.mark.parametrize("ip", ["ip", "busybox ip"])
def test_ip_shows_the_containers_addresses_and_routes(net: Net, ip: str) -> None:
    with net.box((1, 2)) as box:
        addresses = re.findall(r"inet (\S+)", shell(box, f"{ip} addr"))
        routes = shell(box, f"{ip} route").splitlines()
    assert addresses == ["127.0.0.1/8", f"{pool(1)}.2/24"]
    assert routes[0].split() == ["default", "via", f"{pool(1)}.1", "dev", "eth0"]
    assert routes[1].startswith(f"{pool(1)}.0/24 dev eth0 ")


def test_a_container_without_a_network_only_has_lo(net: Net) -> None:
    with net.box() as box:
        assert re.findall(r"^\d+: (\S+):", shell(box, "ip addr"), re.MULTILINE) == ["lo"]
        assert shell(box, "ip route") == ""
        assert shell(box, "hostname -I").strip() == ""


def test_hostname_netstat_ifconfig_and_proc_show_the_same_addresses(net: Net) -> None:
    with net.box((1, 2), (2, 7)) as box:
        assert shell(box, "hostname -I").split() == [f"{pool(1)}.2", f"{pool(2)}.7"]
        names = re.findall(r"^\s*(\w+):", shell(box, "cat /proc/net/dev"), re.MULTILINE)
        assert names == ["lo", "eth0", "eth1"]
        local = re.findall(r"\|-- (\S+)\n +/32 host LOCAL", shell(box, "cat /proc/net/fib_trie"))
        assert local == ["127.0.0.1", f"{pool(1)}.2", f"{pool(2)}.7"]
        assert shell(box, "netstat -rn").splitlines()[2].split()[:2] == ["0.0.0.0", f"{pool(1)}.1"]
        found = re.findall(r"inet addr:(\S+)", shell(box, "busybox ifconfig -a"))
        assert found == [f"{pool(1)}.2", f"{pool(2)}.7", "127.0.0.1"]


@pytest.mark.parametrize(
    "command",
    [
        ("ss", "-Htuln"),
        ("netstat", "-tuln"),
        ("busybox", "netstat", "-tuln"),
    ],
)
def test_only_the_containers_own_sockets_are_listed(net: Net, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside, net.box((1, 2)) as box:
        done = box.run(["/usr/bin/python3", "-c", LISTENERS, *command])
        number = outside.getsockname()[1]
    assert done.status == 0, done
    assert f":{number} " not in done.output
    found = set(re.findall(r"(\S+):(\d+) +\S+:\*", done.output))
    found = {(address.strip("[]").replace("*", "::"), port) for address, port in found}
    assert found == {
        ("0.0.0.0", "8080"),
        ("127.0.0.1", "81"),
        ("::1", "83"),
        ("::", "82"),
        ("0.0.0.0", "53"),
    }


def test_connections_are_listed_with_the_addresses_that_programs_see(net: Net) -> None:
    with net.box((1, 2)) as box:
        done = box.run(["/usr/bin/python3", "-c", LISTENERS, "ss", "-Htn", "state", "established"])
    ends = re.findall(r"(127\S+):(\d+) +(127\S+):(\d+)", done.output)
    assert {(a, b) for a, _, b, _ in ends} == {("127.0.0.1", "127.0.0.1")}
    assert sorted("8080" in (p, q) for _, p, _, q in ends) == [True, True]

# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib
import threading

from sandbox.models.endpoints import NetworkConfig
from sandbox.runtime.network import etc_files
from sandbox.runtime.network.members import LiveEndpoint, Member

BACK = LiveEndpoint("n1", 2, "back", "127.5.0.2", 24, "127.5.0.1")


def member(letter: str, *endpoints: LiveEndpoint, **more: object) -> Member:
    given = {"hostname": letter * 12, "number": 1, "address": "127.5.0.2", "pid": 1, "pid_start": 1}
    return Member(
        id=letter * 64,
        name=f"name-{letter}",
        run_dir="/x",
        endpoints=endpoints,
        **{**given, **more},
    )


def at(address: str, **more: object) -> LiveEndpoint:
    given = {"network": "n1", "number": 2, "name": "back", "prefix": 24, "gateway": "127.5.0.1"}
    return LiveEndpoint(address=address, **{**given, **more})


def test_names_of_others_on_a_network_of_one_s_own_are_left_to_the_name_server() -> None:
    one = member("a", at("127.5.0.2", links=(("b" * 64, "bee"),)))
    two = member("b", at("127.5.0.3", aliases=("db", "store")), hostname="box")
    assert etc_files.lines_about(one, two) == []


def test_on_the_default_network_only_links_have_names() -> None:
    two = member("b", at("127.5.0.3", has_names=False))
    plain = member("a", at("127.5.0.2", has_names=False))
    linked = member("a", at("127.5.0.2", has_names=False, links=((two.id, "db"),)))
    assert etc_files.lines_about(plain, two) == []
    assert etc_files.lines_about(linked, two) == [f"127.5.0.3\tname-b {'b' * 12} db\n"]
    assert etc_files.lines_about(linked, member("b", at("127.6.0.2", network="n2"))) == []
    assert etc_files.lines_about(two, two) == []
    sharing = member("d", at("127.5.0.3", has_names=False), shares=two.id)
    assert etc_files.lines_about(linked, sharing) == []


def test_etc_hosts_has_the_requested_names_and_the_host() -> None:
    config = NetworkConfig(extra_hosts=(("gate", "host-gateway"), ("far", "10.0.0.1")))
    text = etc_files.own_hosts(member("a", at("127.5.0.2")), config, [("10.0.0.9", "ok")], [])
    lines = text.splitlines()[6:]
    assert lines == [
        "127.5.0.1\tgate",
        "10.0.0.1\tfar",
        "127.5.0.1\thost.docker.internal",
        "10.0.0.9\tok",
        f"127.5.0.2\t{'a' * 12}",
    ]
    alone = etc_files.own_hosts(member("a"), NetworkConfig(), [], [])
    assert alone.splitlines()[6:] == [f"127.0.0.1\t{'a' * 12}"]


def test_added_and_removed_lines_leave_the_container_s_own_lines(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1\tlocalhost\n127.5.0.3\tb\n")
    with path.open("a") as file:
        file.write("9.9.9.9 mine")  # the last line has no newline
    etc_files.amend(str(path), [], ["127.5.0.4\tc\n"])
    etc_files.amend(str(path), ["x\n"], ["127.5.0.4\tc\n"])  # a repetition changes nothing
    etc_files.amend(str(path), ["127.5.0.3\tb\n"], [])
    assert path.read_text() == "127.0.0.1\tlocalhost\n9.9.9.9 mine\n127.5.0.4\tc\n"


def test_a_reader_never_sees_a_partial_change(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "hosts"
    etc_files.write(str(tmp_path), {"hosts": "127.0.0.1\tlocalhost\n"})
    lines = [f"127.5.0.{number}\tname-{number}{'x' * 40}\n" for number in range(200)]
    stop = threading.Event()
    torn: list[str] = []

    def read() -> None:
        while not stop.is_set():
            text = path.read_text()
            if not text.startswith("127.0.0.1\tlocalhost\n") or not text.endswith("\n"):
                torn.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for line in lines:
            etc_files.amend(str(path), [], [line])
        for line in lines:
            etc_files.amend(str(path), [line], [])
    finally:
        stop.set()
        reader.join()
    assert not torn
    assert path.read_text() == "127.0.0.1\tlocalhost\n"
    assert set(os.listdir(tmp_path)) == {"hosts", "home"}


def test_the_file_of_an_ended_container_is_not_changed(tmp_path: pathlib.Path) -> None:
    etc_files.amend(str(tmp_path / "hosts"), ["a\n"], ["b\n"])
    assert os.listdir(tmp_path) == ["home"]


def test_resolv_conf_is_the_host_s_with_the_requested_changes() -> None:
    machine = "nameserver 10.0.0.1\nsearch a b\noptions ndots:1\n"
    assert etc_files.resolv_conf(machine, NetworkConfig()) == machine
    asked = NetworkConfig(dns=("1.1.1.1", "::2"), dns_search=(".",), dns_options=("rotate",))
    text = etc_files.resolv_conf(machine, asked)
    assert text == "nameserver 1.1.1.1\nnameserver ::2\noptions rotate\n"
    assert etc_files.name_servers(text) == ("1.1.1.1", "::2")
    only = etc_files.resolv_conf(machine, NetworkConfig(dns_search=("c",)))
    assert only == "nameserver 10.0.0.1\nsearch c\noptions ndots:1\n"


def test_the_hosts_file_of_a_container_that_made_it_a_link_changes_nothing_elsewhere(
    tmp_path: pathlib.Path,
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("secret\n")
    hosts = tmp_path / "hosts"
    hosts.symlink_to(mine)
    etc_files.amend(str(hosts), [], ["127.5.0.3\tb\n"])
    etc_files.amend(str(hosts), ["secret\n"], [])
    assert etc_files.read_hosts(str(hosts)) is None
    assert mine.read_text() == "secret\n"
    assert hosts.is_symlink()


def test_a_hosts_file_that_a_container_made_huge_or_a_fifo_is_left_alone(
    tmp_path: pathlib.Path,
) -> None:
    hosts = tmp_path / "hosts"
    hosts.touch()
    os.truncate(hosts, 1 << 40)
    etc_files.amend(str(hosts), ["a\n"], ["b\n"])
    assert hosts.stat().st_size == 1 << 40
    hosts.unlink()
    os.mkfifo(hosts)
    etc_files.amend(str(hosts), [], ["b\n"])  # nobody has its other end
    assert hosts.is_fifo()

# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib
import signal

import pytest

from sandbox.errors import NativeError
from sandbox.native import network
from sandbox.native.network import (
    Allowed,
    Endpoint,
    Interface,
    NetworkState,
    NetworkTable,
    Published,
)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "net")


def test_a_table_is_written_and_read_back(folder: str) -> None:
    state = NetworkState(
        "127.80.0.2",
        (Interface("127.80.0.2", 1, 24, "127.80.0.1"), Interface("127.81.0.9", 7)),
        "listed",
        (Allowed("10.1.0.0/16", 443), Allowed("2001:db8::1/128")),
        ("127.0.0.53", "2001:db8::53"),
        1000,
    )
    with NetworkTable.locked(folder) as table:
        number = table.take("a" * 64, state)
        table.add_endpoint(Endpoint("127.80.0.2", 1, number))
        table.publish(Published(number, "udp", 53, "0.0.0.0", 5353))
    with NetworkTable.reading(folder) as table:
        assert table.containers() == {number: "a" * 64}
        assert table.state(number) == state
        assert table.endpoints() == [Endpoint("127.80.0.2", 1, number)]
        assert table.published() == [Published(number, "udp", 53, "0.0.0.0", 5353)]


def test_a_released_container_leaves_nothing(folder: str) -> None:
    with NetworkTable.locked(folder) as table:
        kept = table.take("kept", NetworkState("127.80.0.3"))
        number = table.take("gone", NetworkState("127.80.0.2"))
        for one in (kept, number):
            table.add_endpoint(Endpoint(f"127.80.0.{one + 1}", 1, one))
            table.publish(Published(one, "tcp", 80, "127.0.0.1", 8080 + one))
        table.release(number)
        assert table.containers() == {kept: "kept"}
        assert [row.container for row in table.endpoints()] == [kept]
        assert [row.container for row in table.published()] == [kept]
        assert table.take("next", NetworkState("127.80.0.2")) == number


def test_five_hundred_containers_are_added_and_released_ten_times(folder: str) -> None:
    with NetworkTable.locked(folder) as table:
        for _ in range(10):
            numbers = []
            for i in range(500):
                address = f"127.80.{i // 250}.{i % 250 + 2}"
                numbers.append(table.take(f"c{i}", NetworkState(address)))
                table.add_endpoint(Endpoint(address, 1, numbers[-1]))
                table.publish(Published(numbers[-1], "tcp", 80, "0.0.0.0", 10000 + i))
            assert len(table.endpoints()) == 500
            assert len(set(numbers)) == 500
            for number in numbers:
                table.release(number)
        assert table.endpoints() == []
        assert table.published() == []


def test_an_address_only_belongs_to_one_container(folder: str) -> None:
    with NetworkTable.locked(folder) as table:
        table.add_endpoint(Endpoint("127.80.0.2", 1, 1))
        with pytest.raises(NativeError, match=r"cannot add the address 127\.80\.0\.2"):
            table.add_endpoint(Endpoint("127.80.0.2", 2, 2))
        table.drop_endpoint("127.80.0.2")
        with pytest.raises(NativeError, match="no container has the address"):
            table.drop_endpoint("127.80.0.2")


def test_too_many_containers_are_refused(folder: str) -> None:
    with NetworkTable.locked(folder) as table:
        for number in range(1, network.MAX_CONTAINERS):
            assert table.take(str(number), NetworkState("127.80.0.2")) == number
        with pytest.raises(NativeError, match="too many containers"):
            table.take("last", NetworkState("127.80.0.2"))


def test_a_killed_writer_leaves_a_readable_table(folder: str) -> None:
    pid = os.fork()
    if pid == 0:
        with NetworkTable.locked(folder) as table:
            table.take("half", NetworkState("127.80.0.2"))
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    with NetworkTable.locked(folder) as table:
        assert table.containers() == {1: "half"}


def test_an_invalid_table_file_is_refused(folder: str) -> None:
    pathlib.Path(folder).mkdir()
    pathlib.Path(folder, "table").write_bytes(b"SBNET\0\0\0" + bytes(100))
    with pytest.raises(NativeError, match="cannot use the network files"):
        NetworkTable.locked(folder).__enter__()

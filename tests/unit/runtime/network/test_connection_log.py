# SPDX-License-Identifier: MIT
"""The lines of the connection log."""

from __future__ import annotations

import pathlib
import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from sandbox.runtime.network.connection_log import Carried, Journal, names_near, parse_event
from sandbox.runtime.network.members import LiveEndpoint, Member, MemberRegister

HEAD = '2026-01-02T03:04:05.000006Z 7 "/bin/a = b" connect tcp 127.9.1.2:80'
NAMES = {"127.9.1.2": "db", "fd00::1": "six"}


def begun(journal: Journal, tail: str, head: str = HEAD) -> list[str]:
    return list(journal.begin(f"{head} = {tail}", NAMES))


def test_a_tcp_connection_has_one_line_when_it_ends() -> None:
    journal = Journal(told=True)
    assert begun(journal, "-EINPROGRESS #5") == []
    assert begun(journal, "-EALREADY #5") == []
    assert begun(journal, "0 #5") == []
    assert begun(journal, "-EISCONN #5") == []
    assert list(journal.end(6, Carried(True, 1, 1))) == []
    assert list(journal.end(5, Carried(True, 10, 20))) == [f"{HEAD} db = 0 sent 10 received 20"]
    assert list(journal.end(5, Carried(True, 10, 20))) == []
    assert not journal.is_waiting


def test_a_failed_connection_is_logged_with_its_error() -> None:
    journal = Journal(told=True)
    assert begun(journal, "-ECONNREFUSED #5") == [f"{HEAD} db = -ECONNREFUSED"]
    begun(journal, "-EINPROGRESS #6")
    assert begun(journal, "-ETIMEDOUT #6") == [f"{HEAD} db = -ETIMEDOUT"]
    begun(journal, "-EINPROGRESS #7")
    lines = list(journal.end(7, Carried(False, 0, 0)))
    assert lines == [f"{HEAD} db = failed"]


def test_a_connection_without_statistics_is_logged_without_numbers() -> None:
    journal = Journal(told=True)
    begun(journal, "0 #5")
    assert list(journal.rest()) == [f"{HEAD} db = ? sent ? received ?"]
    assert begun(Journal(told=False), "0 #5") == [f"{HEAD} db = ? sent ? received ?"]


def test_addresses_are_looked_up_whatever_their_form() -> None:
    six = "t 1 x connect tcp [fd00:0000:0000:0000:0000:0000:0000:0001]:80"
    assert begun(Journal(told=True), "-ECONNREFUSED #5", six) == [f"{six} six = -ECONNREFUSED"]
    other = "t 1 x send udp 192.0.2.1:53"
    assert begun(Journal(told=True), "17", other) == [f"{other} - = 17"]


@given(st.binary(max_size=400))
def test_any_message_is_parsed_or_ignored(message: bytes) -> None:
    parse_event(message)
    parse_event(struct.pack("=I", len(message)) + message[4:])


def test_a_kernel_message_is_parsed() -> None:
    info = bytearray(284)
    struct.pack_into("=QQ", info, 120, 11, 21)
    struct.pack_into("=I", info, 152, 3)
    struct.pack_into("=QQ", info, 200, 12, 2)
    attributes = struct.pack("=HHB3x", 5, 10, 0) + struct.pack("=HH", 4 + len(info), 2) + info
    body = struct.pack("=BBBB", socket.AF_INET, 7, 0, 0).ljust(44, b"\0") + struct.pack("=Q", 99)
    message = struct.pack("=IHHII", 0, 20, 0, 0, 0) + body.ljust(72, b"\0") + attributes
    message = struct.pack("=I", len(message)) + message[4:]
    assert parse_event(message) == (99, Carried(True, 10, 21))


def test_other_containers_of_a_network_are_logged_by_name(tmp_path: pathlib.Path) -> None:
    place = {"network": "n", "number": 2, "name": "back", "prefix": 24}
    for letter, address in (("a", "127.5.0.2"), ("b", "127.5.0.3")):
        register = MemberRegister(str(tmp_path))
        endpoint = LiveEndpoint(address=address, **place)
        given = {"hostname": "x", "number": 1, "pid": 1, "pid_start": 1, "run_dir": "/x"}
        register.put(
            Member(
                id=letter, name=f"name-{letter}", address=address, endpoints=(endpoint,), **given
            )
        )
        register.save()
    named = {"127.5.0.2": "name-a", "127.5.0.3": "name-b"}
    assert names_near(str(tmp_path), "a") == named
    assert names_near(str(tmp_path), "unknown") == {}

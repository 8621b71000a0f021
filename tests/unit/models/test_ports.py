# SPDX-License-Identifier: MIT
from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError, Unsupported, UsageError
from sandbox.models.ports import (
    Port,
    Publication,
    Published,
    merge_publications,
    native_of,
    parse_exposed,
    parse_publication,
    show_ports,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", [Publication(Port(80))]),
        ("8080:80", [Publication(Port(80), "", 8080, 8080)]),
        ("8080:80/udp", [Publication(Port(80, "udp"), "", 8080, 8080)]),
        ("8080:80/TCP", [Publication(Port(80), "", 8080, 8080)]),
        ("127.0.0.1:8080:80", [Publication(Port(80), "127.0.0.1", 8080, 8080)]),
        ("127.0.0.1::80", [Publication(Port(80), "127.0.0.1")]),
        ("[::1]:8080:80", [Publication(Port(80), "::1", 8080, 8080)]),
        ("[::]::80", [Publication(Port(80), "::")]),
        ("::1:8080:80/udp", [Publication(Port(80, "udp"), "::1", 8080, 8080)]),
        ("8000-8010:80", [Publication(Port(80), "", 8000, 8010)]),
        ("80-81", [Publication(Port(80)), Publication(Port(81))]),
        (
            "8000-8001:80-81",
            [Publication(Port(80), "", 8000, 8000), Publication(Port(81), "", 8001, 8001)],
        ),
        ("target=80,published=8080", [Publication(Port(80), "", 8080, 8080)]),
        ("published=53,target=53,protocol=udp", [Publication(Port(53, "udp"), "", 53, 53)]),
    ],
)
def test_publish_flags_are_parsed(text: str, expected: list[Publication]) -> None:
    assert list(parse_publication(text)) == expected
    assert [Publication.from_json(item.to_json()) for item in expected] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no port specified: <empty>"),
        ("8080:", "no port specified: 8080:<empty>"),
        ("8080:x", "invalid containerPort: x"),
        ("8080:70000", "invalid containerPort: 70000"),
        ("8080:0", "invalid containerPort: 0"),
        ("81-80", "invalid containerPort: 81-80"),
        ("x:80", "invalid hostPort: x"),
        ("99999:80", "invalid hostPort: 99999"),
        ("80:80/icmp", "invalid proto: icmp"),
        ("nohost:80:80", "invalid IP address: nohost"),
        ("[::1:80:80", "invalid IP address: [::1"),
        ("[nohost]:80:80", "invalid IP address: [nohost]"),
        ("[:x]:80:80", "invalid IP address: [:x]"),
        ("1-3:80-81", "invalid ranges specified for container and host Ports: 80-81 and 1-3"),
        ("target=80,colour=red", "invalid field key: colour"),
        ("published=80", "missing mandatory field 'target'"),
    ],
)
def test_an_invalid_publish_flag_gives_dockers_error_message(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_publication(text)
    assert caught.value.message == words


@pytest.mark.parametrize("text", ["[fe80::1%lo]:80:80", "80:80/sctp"])
def test_unsupported_addresses_and_protocols_are_refused(text: str) -> None:
    with pytest.raises(Unsupported):
        parse_publication(text)


@given(st.text(alphabet="0123456789:-/.tcpud[]=,", max_size=24))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (parse_publication, parse_exposed):
        with contextlib.suppress(SandboxError):
            assert parse(text)


def test_only_identical_publications_are_merged() -> None:
    one, two = parse_publication("8080:80"), parse_publication("8081:80")
    assert merge_publications([*one, *one]) == one
    assert merge_publications([*one, *two, *one]) == (*one, *two)


def test_the_first_ipv4_address_is_the_servers_own_socket() -> None:
    rows = [
        Published(Port(80), "::1", 8080),
        Published(Port(80), "127.0.0.1", 8081),
        Published(Port(80), "0.0.0.0", 8082),
        Published(Port(81), "::", 8083),
    ]
    assert native_of(rows) == {Port(80): rows[1]}


def test_ps_shows_adjacent_ports_as_a_range() -> None:
    rows = [Published(Port(80 + index), "0.0.0.0", 8080 + index) for index in range(3)]
    rows.append(Published(Port(80, "udp"), "127.0.0.1", 9000))
    text = "443-444/tcp, 0.0.0.0:8080-8082->80-82/tcp, 127.0.0.1:9000->80/udp"
    assert show_ports(rows, [Port(81), Port(444), Port(443)]) == text
    assert show_ports([], []) == ""
    both = [Published(Port(80 + n), place, 8080 + n) for n in (0, 1) for place in ("0.0.0.0", "::")]
    assert show_ports(both, []) == "0.0.0.0:8080-8081->80-81/tcp, [::]:8080-8081->80-81/tcp"

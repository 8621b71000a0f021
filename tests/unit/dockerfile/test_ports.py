# SPDX-License-Identifier: MIT
"""Ports of EXPOSE, and platforms of FROM."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.dockerfile.ports import exposed_ports
from sandbox.dockerfile.words import ArgumentError


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("80", ["80/tcp"]),
        ("80/udp", ["80/udp"]),
        ("80/SCTP", ["80/sctp"]),
        ("80-82/tcp", ["80/tcp", "81/tcp", "82/tcp"]),
        ("8080:80", ["80/tcp"]),
        ("127.0.0.1:8080:80", ["80/tcp"]),
        ("[::1]:8080:80/udp", ["80/udp"]),
        ("8000-8002:80", ["80/tcp"]),
        ("0", ["0/tcp"]),
    ],
)
def test_a_port_gets_a_protocol(word: str, expected: list[str]) -> None:
    assert exposed_ports([word]) == expected


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("x", "invalid containerPort: x"),
        ("65536", "invalid containerPort: 65536"),
        ("82-80", "invalid containerPort: 82-80"),
        ("80-81-82", "invalid containerPort: 80-81-82"),
        ("80/foo", 'invalid port: "80/foo": invalid proto: foo'),
        ("/tcp", 'invalid port: "/tcp": no port specified: /tcp<empty>'),
        ("x:80", "invalid hostPort: x"),
        ("1.2.3:80:80", "invalid IP address: 1.2.3"),
        (
            "8000-8001:80-82",
            "invalid ranges specified for container and host Ports: 80-82 and 8000-8001",
        ),
    ],
)
def test_an_invalid_port_is_refused(word: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        exposed_ports([word])
    assert caught.value.message == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("amd64", "linux/amd64"),
        ("linux", "linux/arm64"),
        ("aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("armel", "linux/arm/v6"),
        ("Linux/x86_64", "linux/amd64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_a_platform_is_normalized(text: str, expected: str) -> None:
    assert str(parse_platform(text, default=PlatformName("linux", "arm64"))) == expected


@pytest.mark.parametrize("text", ["", "foo", "linux/", "a/b/c/d", "linux/am d"])
def test_an_invalid_platform_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_platform(text, default=PlatformName("linux", "arm64"))

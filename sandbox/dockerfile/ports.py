# SPDX-License-Identifier: MIT
"""The ports of EXPOSE: ``80``, ``80/udp``, ``8000-8010/tcp``. Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from sandbox.dockerfile.go_text import quoted
from sandbox.dockerfile.words import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROTOCOLS = frozenset({"tcp", "udp", "sctp"})
_HIGHEST = 65535


def exposed_ports(words: Iterable[str]) -> list[str]:
    """Return each single port with its protocol. Raises ArgumentError.

    >>> exposed_ports(["80", "53/UDP", "8000-8001"])
    ['80/tcp', '53/udp', '8000/tcp', '8001/tcp']
    """
    return [port for word in words for port in _ports(word)]


def split_address(word: str) -> tuple[str, str, str]:
    """Return the address, host port and container port in *word*; EXPOSE uses only the last."""
    *before, container = word.split(":")
    host = before.pop() if before else ""
    return ":".join(before), host, container


def _ports(word: str) -> list[str]:
    address, host, container = split_address(word)
    ports, _, protocol = container.partition("/")
    if not ports:
        raise ArgumentError(f"invalid port: {quoted(word)}: no port specified: {container}<empty>")
    protocol = protocol.lower() or "tcp"
    if protocol not in _PROTOCOLS:
        raise ArgumentError(f"invalid port: {quoted(word)}: invalid proto: {protocol}")
    if address and not _is_address(address.removeprefix("[").removesuffix("]")):
        raise ArgumentError(f"invalid IP address: {address}")
    found = _range(ports)
    if found is None:
        raise ArgumentError(f"invalid containerPort: {ports}")
    outside = _range(host) if host else found
    if outside is None:
        raise ArgumentError(f"invalid hostPort: {host}")
    if len(outside) != len(found) and len(found) > 1:
        raise ArgumentError(
            f"invalid ranges specified for container and host Ports: {ports} and {host}"
        )
    return [f"{port}/{protocol}" for port in found]


def _range(text: str) -> range | None:
    first, dash, last = text.partition("-")
    start, end = _port(first), _port(last if dash else first)
    if start is None or end is None or end < start:
        return None
    return range(start, end + 1)


def _port(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        return None
    return int(text) if int(text) <= _HIGHEST else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

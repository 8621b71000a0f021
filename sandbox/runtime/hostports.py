# SPDX-License-Identifier: MIT
"""Ports and addresses of the machine: which are free, proved by a bind.

Does not know: containers.
"""

from __future__ import annotations

import _socket
import errno
import os
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed
from sandbox.models.ports import ANY_ADDRESS, ANY_ADDRESS_6, Port, Published

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.models.ports import Publication

Guard = _socket.socket

# Of a container's address, never used by a container: port 0 below the privileged ones.
GUARD_PORT = 64512
_AUTOMATIC = 8192
_BACKLOG = 512


def guard(address: str) -> Guard | None:
    """Return a socket that keeps the address for its holder; None if somebody has it."""
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        sock.bind((address, GUARD_PORT))
    except OSError as exc:
        sock.close()
        if exc.errno == errno.EADDRINUSE:
            return None
        raise RuntimeFailed(f"cannot use the address {address}: {exc.strerror}") from exc
    return sock


def low_ports() -> int:
    """Return the first port that everybody may bind."""
    return _number("/proc/sys/net/ipv4/ip_unprivileged_port_start", 1024)


def _number(path: str, default: int) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return default


def settle(
    wishes: Iterable[Publication], taken: Iterable[Published], *, default_ip: str
) -> tuple[Published, ...]:
    """Return a port of the machine for each wish; what cannot be had is refused."""
    used = list(taken)
    found: list[Published] = []
    for wish in wishes:
        address = wish.host_ip or default_ip
        places = [address] if address else _everywhere()
        candidates = range(wish.first, wish.last + 1) if wish.first else _automatic()
        problem = ""
        for number in candidates:
            rows = [Published(wish.port, place, number) for place in places]
            problem = next(filter(None, (_problem_with(row, [*used, *found]) for row in rows)), "")
            if not problem:
                found += rows
                break
        if problem:
            raise RuntimeFailed(problem)
    return tuple(found)


def _everywhere() -> list[str]:
    """Return the addresses that stand for all of the machine."""
    try:
        bind(Published(Port(1, "udp"), "::1", 0)).close()
    except OSError:
        return [ANY_ADDRESS]
    return [ANY_ADDRESS, ANY_ADDRESS_6]


def _automatic() -> Iterator[int]:
    """Yield the ports that are given when none was asked for, from anywhere on.

    They lie below those that the kernel gives to outgoing connections.
    """
    end = _number("/proc/sys/net/ipv4/ip_local_port_range", 32768)
    if end - _AUTOMATIC < low_ports():
        end = 65536
    begin = end - _AUTOMATIC
    start = int.from_bytes(os.urandom(2), "little") % _AUTOMATIC
    for index in range(_AUTOMATIC):
        yield begin + (start + index) % _AUTOMATIC


def _problem_with(row: Published, used: Iterable[Published]) -> str:
    """Return why the port cannot be had, in Docker's words; empty if it can."""
    for other in used:
        same = other.host_port == row.host_port and other.port.protocol == row.port.protocol
        if same and _overlap(other.host_ip, row.host_ip):
            return f"Bind for {row.place} failed: port is already allocated"
    return _probe(row)


def _overlap(one: str, other: str) -> bool:
    if (":" in one) != (":" in other):
        return False
    return one == other or not {one, other}.isdisjoint((ANY_ADDRESS, ANY_ADDRESS_6))


def bind(row: Published) -> _socket.socket:
    """Return a socket at a place of the machine, which for TCP listens; raises `OSError`."""
    stream = row.port.protocol == "tcp"
    family = _socket.AF_INET6 if ":" in row.host_ip else _socket.AF_INET
    sock = _socket.socket(family, _socket.SOCK_STREAM if stream else _socket.SOCK_DGRAM)
    try:
        if family == _socket.AF_INET6:
            sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 1)
        if stream:
            sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        sock.bind((row.host_ip, row.host_port))
        if stream:
            sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _probe(row: Published) -> str:
    try:
        bind(row).close()
    except OSError as exc:
        return failure(row, exc)
    return ""


def failure(row: Published, exc: OSError) -> str:
    """Return why a place of the machine cannot be had, in Docker's words."""
    reason = (exc.strerror or str(exc)).lower()
    if exc.errno == errno.EACCES:
        reason += f": ports below {low_ports()} of the machine need root"
    return f"failed to bind host port {row.place}/{row.port.protocol}: {reason}"

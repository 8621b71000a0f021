# SPDX-License-Identifier: MIT
"""Ports and addresses of the machine: which are free, proved by a bind, and kept.

How it works: the socket that proves a place free is the one that serves it later. Where the
listener of the container is to be itself nothing can be bound before, so a name of the
kernel's (an abstract socket) tells other stores that a number is given away.

Does not know: containers.
"""

from __future__ import annotations

import _socket
import errno
import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed
from sandbox.models.ports import ANY_ADDRESS, ANY_ADDRESS_6, Port, Published, native_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.models.ports import Publication

Guard = _socket.socket

# Of a container's address, never used by a container: port 0 below the privileged ones.
GUARD_PORT = 64512
_AUTOMATIC = 8192
_BACKLOG = 512


def guard(address: str) -> Guard | None:
    """Return a socket that keeps the address for its holder; None if somebody has it.

    It is connected to itself: what others send to its port is refused, as where nobody is.
    """
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        sock.bind((address, GUARD_PORT))
        sock.connect((address, GUARD_PORT))
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


class Held:
    """The places of the machine that one container has, and what keeps them for it."""

    def __init__(self) -> None:
        """Have none."""
        self._places: dict[Published, _socket.socket | None] = {}
        self._names: list[_socket.socket] = []

    @property
    def published(self) -> tuple[Published, ...]:
        """The places, in the order in which they were wished for."""
        return tuple(self._places)

    def take(self, rows: Iterable[Published], used: Iterable[Published], *, last: bool) -> str:
        """Take all of these places, or none and say why not, in Docker's words.

        Another store that gave a number away may never listen there: where it is the *last*
        that can be had, it is taken nevertheless.
        """
        got: dict[Published, _socket.socket | None] = {}
        names: list[_socket.socket] = []
        problem = ""
        for row in rows:
            problem = _allocated(row, [*used, *self._places])
            if not problem and not _reserve(row, names) and not last:
                problem = _taken(row)
            if not problem:
                try:
                    got[row] = bind(row)
                except OSError as exc:
                    problem = failure(row, exc)
            if problem:
                _close([*got.values(), *names])
                return problem
        self._places |= got
        self._names += names
        return ""

    def let_native_listen(self) -> None:
        """Free the places that listeners of the container bind themselves."""
        for row in native_of(self._places).values():
            _close([self._places[row]])
            self._places[row] = None

    def take_relayed(self) -> list[tuple[Published, _socket.socket]]:
        """Return the places that are to be relayed; their sockets are the caller's now."""
        found = [(row, sock) for row, sock in self._places.items() if sock is not None]
        self._places = dict.fromkeys(self._places)
        return found

    def close(self) -> None:
        """Give everything back."""
        _close([*self._places.values(), *self._names])


def _close(sockets: Iterable[_socket.socket | None]) -> None:
    for sock in sockets:
        if sock is not None:
            sock.close()


def settle(wishes: Iterable[Publication], taken: Iterable[Published], *, default_ip: str) -> Held:
    """Return a place of the machine for each wish, kept; raises `RuntimeFailed` for others."""
    used = list(taken)
    with ExitStack() as stack:
        held = stack.enter_context(closing(Held()))
        for wish in wishes:
            _settle(held, wish, wish.host_ip or default_ip, used)
        stack.pop_all()
    held.let_native_listen()
    return held


def _settle(held: Held, wish: Publication, address: str, used: Iterable[Published]) -> None:
    places = [address] if address else _everywhere()
    candidates = _candidates(wish)
    problem = ""
    for number in candidates:
        rows = [Published(wish.port, place, number) for place in places]
        problem = held.take(rows, used, last=number == candidates[-1])
        if not problem:
            return
    raise RuntimeFailed(problem)


def _reserve(row: Published, names: list[_socket.socket]) -> bool:
    """Tell other stores that a place is given away; tell whether one of them has said so."""
    name = f"sandbox-port/{row.port.protocol}/{row.place}"
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    try:
        sock.bind(b"\0" + name.encode())
    except OSError as exc:
        sock.close()
        return exc.errno != errno.EADDRINUSE
    names.append(sock)
    return True


def _everywhere() -> list[str]:
    """Return the addresses that stand for all of the machine."""
    try:
        bind(Published(Port(1, "udp"), "::1", 0)).close()
    except OSError:
        return [ANY_ADDRESS]
    return [ANY_ADDRESS, ANY_ADDRESS_6]


def _candidates(wish: Publication) -> Sequence[int]:
    """Return the ports to be tried in turn.

    Those that are given when none was asked for begin anywhere, and lie below those that the
    kernel gives to outgoing connections.
    """
    if wish.first:
        return range(wish.first, wish.last + 1)
    end = _number("/proc/sys/net/ipv4/ip_local_port_range", 32768)
    if end - _AUTOMATIC < low_ports():
        end = 65536
    begin = end - _AUTOMATIC
    start = begin + int.from_bytes(os.urandom(2), "little") % _AUTOMATIC
    return [*range(start, end), *range(begin, start)]


def _allocated(row: Published, used: Iterable[Published]) -> str:
    """Return that another container has the place, in Docker's words; empty if none has."""
    for other in used:
        same = other.host_port == row.host_port and other.port.protocol == row.port.protocol
        if same and _overlap(other.host_ip, row.host_ip):
            return _taken(row)
    return ""


def _taken(row: Published) -> str:
    return f"Bind for {row.place} failed: port is already allocated"


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


def failure(row: Published, exc: OSError) -> str:
    """Return why a place of the machine cannot be had, in Docker's words."""
    reason = (exc.strerror or str(exc)).lower()
    if exc.errno == errno.EACCES:
        reason += f": ports below {low_ports()} of the machine need root"
    return f"failed to bind host port {row.place}/{row.port.protocol}: {reason}"

# SPDX-License-Identifier: MIT
"""Ports and addresses of the machine: find free ones by binding them, and reserve them.

How it works: the socket that proves a port free serves it later. Where the container's own
listener binds the port, no socket of ours can hold it; an abstract unix socket then tells
other stores that the port is reserved.

Does not know: containers.
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, BinaryIO

from sandbox.errors import RuntimeFailed, map_os_errors
from sandbox.models.ports import ANY_ADDRESS, ANY_ADDRESS_6, Port, Published, native_of
from sandbox.runtime import rundir

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.models.ports import Publication

Guard = _socket.socket | BinaryIO

# Privileged ports of a container lie from here on, its port 0 first; no container uses port 0.
GUARD_PORT = 64512
_AUTOMATIC = 8192
_BACKLOG = 512
_TRIES = 3


def guard(address: str) -> Guard | None:
    """Return what reserves the address, or None if another process has it.

    The socket is connected to itself, so the kernel refuses what others send to its port.
    """
    sock = _bound(address)
    if sock is not None:
        sock.connect((address, GUARD_PORT))
        return sock
    if _is_free_somewhere():
        return None
    # Somebody has the port at every address: this user's stores agree by a lock.
    return _locked(address)


def _bound(address: str) -> _socket.socket | None:
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        sock.bind((address, GUARD_PORT))
    except OSError as exc:
        sock.close()
        if exc.errno == errno.EADDRINUSE:
            return None
        raise RuntimeFailed(f"cannot use the address {address}: {exc.strerror}") from exc
    return sock


def _is_free_somewhere() -> bool:
    """Tell whether the port is free at one of some addresses that nobody foresees."""
    for _ in range(_TRIES):
        third, fourth = os.urandom(2)
        sock = _bound(f"127.255.{third}.{fourth}")
        if sock is not None:
            sock.close()
            return True
    return False


def _locked(address: str) -> BinaryIO | None:
    directory = f"{rundir.base_dir({})}/addresses"
    with map_os_errors(f"cannot write in {directory}"):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        file = open(f"{directory}/{address}", "wb")  # noqa: SIM115 - the caller keeps it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def low_ports() -> int:
    """Return the lowest port that an unprivileged process may bind."""
    return _number("/proc/sys/net/ipv4/ip_unprivileged_port_start", 1024)


def _number(path: str, default: int) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return default


class Held:
    """The published ports of one container and the sockets that reserve them."""

    def __init__(self) -> None:
        """Start without any port."""
        self._places: dict[Published, _socket.socket | None] = {}
        self._names: list[_socket.socket] = []

    @property
    def published(self) -> tuple[Published, ...]:
        """The published ports, in the order of the user's options."""
        return tuple(self._places)

    def take(self, rows: Iterable[Published], used: Iterable[Published], *, last: bool) -> str:
        """Reserve all of these ports, or none and return the reason in Docker's words.

        Another store may have reserved a port and never listen on it: the *last* candidate is
        taken even then.
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
        """Free the ports that the container's listeners bind themselves."""
        for row in native_of(self._places).values():
            _close([self._places[row]])
            self._places[row] = None

    def take_relayed(self) -> list[tuple[Published, _socket.socket]]:
        """Return the ports that the port proxy serves; the caller owns their sockets now."""
        found = [(row, sock) for row, sock in self._places.items() if sock is not None]
        self._places = dict.fromkeys(self._places)
        return found

    def close(self) -> None:
        """Release every reservation."""
        _close([*self._places.values(), *self._names])


def _close(sockets: Iterable[_socket.socket | None]) -> None:
    for sock in sockets:
        if sock is not None:
            sock.close()


def settle(wishes: Iterable[Publication], taken: Iterable[Published], *, default_ip: str) -> Held:
    """Reserve a port of the machine for each wish; raise `RuntimeFailed` if one cannot be had."""
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
    """Reserve a port against other stores; return whether one of them has reserved it."""
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
    """Return the wildcard addresses of the machine."""
    try:
        bind(Published(Port(1, "udp"), "::1", 0)).close()
    except OSError:
        return [ANY_ADDRESS]
    return [ANY_ADDRESS, ANY_ADDRESS_6]


def _candidates(wish: Publication) -> Sequence[int]:
    """Return the ports to try, in order.

    Without a wish they start at a random port, below the range of outgoing connections.
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
    """Return Docker's message if another container has the port, else an empty string."""
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
    """Bind a socket to a port of the machine; a TCP socket listens. Raises `OSError`."""
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
    """Return why a port of the machine cannot be bound, in Docker's words."""
    reason = (exc.strerror or str(exc)).lower()
    if exc.errno == errno.EACCES:
        reason += f": ports below {low_ports()} of the machine need root"
    return f"failed to bind host port {row.place}/{row.port.protocol}: {reason}"

# SPDX-License-Identifier: MIT
"""The places of the machine at which a published port's listener cannot be itself.

How it works: a socket has one address, so of the places of a port the first of IPv4 is the
listener's own (`models.ports.native_of`). At all others a process of the container's
supervisor listens and copies, as Docker's userland proxy does for IPv6. It asks the
networks' files where the listener is when somebody comes, and calls from the gateway's
address, which is what the listener is shown.

Rules: one process for a container, only where there is something to relay; it ends when its
supervisor says so, or with it, and the lock on its file tells that it has.

Does not know: which places there are to be, or how bytes are copied (`forwarding`).
"""

from __future__ import annotations

import _socket
import fcntl
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from sandbox.errors import map_os_errors
from sandbox.native.network import NetworkTable
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.models.ports import Published
    from sandbox.runtime.network.members import Seat

_LOCK = "relay"


@contextmanager
def relaying(
    seat: Seat, directory: str, places: list[tuple[Published, _socket.socket]]
) -> Iterator[None]:
    """Have the *places* that are not native relayed for the block; their sockets are closed.

    *directory* is that of the networks' files.
    """
    if not places:
        yield
        return
    try:
        connection, pid = _start(seat, directory, places)
    finally:
        for _, sock in places:
            sock.close()
    try:
        yield
    finally:
        with suppress(OSError):
            connection.shutdown(_socket.SHUT_WR)
            connection.recv(1)  # the places are free again
        connection.close()
        with suppress(ChildProcessError):  # whoever waits for all children has it
            os.waitpid(pid, 0)


def wait_for_end(run_dir: str) -> None:
    """Wait until the relay of a supervisor that was killed has gone the same way."""
    with suppress(FileNotFoundError), open(f"{run_dir}/{_LOCK}", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def _start(
    seat: Seat, directory: str, places: list[tuple[Published, _socket.socket]]
) -> tuple[_socket.socket, int]:
    ours, theirs = _socket.socketpair()
    parent = os.getpid()
    with map_os_errors(f"cannot write in {seat.run_dir}"):
        lock = os.open(f"{seat.run_dir}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with reaper.signals_held():
        pid = os.fork()
        if pid == 0:
            kept = [theirs.fileno(), lock, *(sock.fileno() for _, sock in places)]
            _serve(seat, directory, places, theirs, kept, parent)
    os.close(lock)
    theirs.close()
    return ours, pid


def _serve(
    seat: Seat,
    directory: str,
    places: list[tuple[Published, _socket.socket]],
    connection: _socket.socket,
    kept: list[int],
    parent: int,
) -> NoReturn:
    """Be the process."""
    try:
        reaper.die_with_parent()
        os.setsid()
        signal.set_wakeup_fd(-1)
        reaper.close_others(kept)
        for number in reaper.PROXIED:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if os.getppid() == parent:
            import resource

            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            from sandbox.runtime.network.forwarding import Relay

            relay = Relay(NetworkTable.reading(directory), seat.number, _gateway(seat))
            relay.live([(row, sock.fileno()) for row, sock in places], connection.fileno())
    finally:
        os._exit(0)


def _gateway(seat: Seat) -> str:
    return next((item.gateway for item in seat.endpoints if item.gateway), "127.0.0.1")

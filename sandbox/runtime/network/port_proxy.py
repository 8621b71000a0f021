# SPDX-License-Identifier: MIT
"""The proxy of published ports: serves the addresses that the listener cannot bind itself.

How it works: a socket has one address, so the container's listener binds the first IPv4
address of a published port itself (`models.ports.native_of`). A process of the container's
supervisor listens on all others and copies, as Docker's userland proxy does for IPv6. At each
connection it looks the listener up in the networks' files, and it connects from the gateway's
address, which the listener sees as its peer.

Rules: a container has at most one proxy, and none without a port that needs it. The proxy
ends with its supervisor; the lock on its file shows that it has ended.

Does not know: which ports it serves, or how bytes are copied (`forwarding`).
"""

from __future__ import annotations

import _socket
import fcntl
import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from sandbox.errors import map_os_errors
from sandbox.native.network import NetworkTable
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.models.ports import Published
    from sandbox.runtime.network.members import Member

_LOCK = "relay"
_PATIENCE = 10.0


@contextmanager
def relaying(
    member: Member, directory: str, places: list[tuple[Published, _socket.socket]]
) -> Iterator[None]:
    """Serve the ports *places* for the block; their sockets are closed in this process.

    *directory* holds the networks' files.
    """
    try:
        connection, pid = _start(member, directory, places)
    finally:
        for _, sock in places:
            sock.close()
    try:
        yield
    finally:
        with suppress(OSError):
            connection.shutdown(_socket.SHUT_WR)
            connection.recv(1)  # the ports are free again
        connection.close()
        with suppress(ChildProcessError):  # a wait for all children reaped it
            os.waitpid(pid, 0)


def wait_for_end(run_dir: str) -> None:
    """Wait until the proxy of a killed supervisor has ended, too.

    A guest of the image host can hold the lock, so the wait has an end.
    """
    deadline = time.monotonic() + _PATIENCE
    with suppress(FileNotFoundError), open(f"{run_dir}/{_LOCK}", "rb") as file:
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return
            time.sleep(0.002)


def _start(
    member: Member, directory: str, places: list[tuple[Published, _socket.socket]]
) -> tuple[_socket.socket, int]:
    ours, theirs = _socket.socketpair()
    parent = os.getpid()
    with map_os_errors(f"cannot write in {member.run_dir}"):
        lock = os.open(f"{member.run_dir}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with reaper.signals_held():
        pid = os.fork()
        if pid == 0:
            kept = [theirs.fileno(), lock, *(sock.fileno() for _, sock in places)]
            _serve(member, directory, places, theirs, kept, parent)
    os.close(lock)
    theirs.close()
    return ours, pid


def _serve(
    member: Member,
    directory: str,
    places: list[tuple[Published, _socket.socket]],
    connection: _socket.socket,
    kept: list[int],
    parent: int,
) -> NoReturn:
    """Run the proxy's process."""
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

            relay = Relay(NetworkTable.reading(directory), member.number, _gateway(member))
            relay.live([(row, sock.fileno()) for row, sock in places], connection.fileno())
    finally:
        os._exit(0)


def _gateway(member: Member) -> str:
    return next((item.gateway for item in member.endpoints if item.gateway), "127.0.0.1")

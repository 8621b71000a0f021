# SPDX-License-Identifier: MIT
"""Start the name server, start it again after it was killed, and end it.

How it works: whoever changes a store's networks looks after its server, with the networks' lock
held. The sockets exist before the server does, so a question of the first container waits for it. A
record names its process; the guests' table says where it listens.

Rules: a server runs while a container is on a network with names. A new one takes the old one's
port if it is free, so that connected sockets go on.

Does not know: how questions are answered.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.models.addresses import bridge_subnet, format_address
from sandbox.runtime.network.members import NAME_SERVER_RECORD as RECORD
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from sandbox.native.network import NetworkTable
    from sandbox.runtime.network.members import Member, MemberRegister

_TRIES = 16
_DATAGRAMS, _STREAMS = 3, 4  # as in `server`


def is_wanted(members: Iterable[Member]) -> bool:
    """Tell whether a container is on a network with names."""
    return any(member.has_names for member in members)


def running(directory: str) -> int:
    """Return the pid of the server, 0 if none runs."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        with open(f"{directory}/{RECORD}", "rb") as file:
            record = json.load(file)
        pid = int(record["pid"])
        with suppress(ChildProcessError):  # a killed child of this process
            os.waitpid(pid, os.WNOHANG)
        if reaper.start_time_of(pid) == record["start"]:
            return pid
    return 0


def settle(register: MemberRegister, table: NetworkTable) -> None:
    """Start a server that is missing; end one that nobody needs."""
    directory = register.directory
    pid = running(directory)
    if not is_wanted(register):
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            table.set_name_server("", 0)
            with suppress(FileNotFoundError):
                os.unlink(f"{directory}/{RECORD}")
    elif not pid:
        register.save()  # the server reads it
        with map_os_errors("cannot start the name server"):
            _start(directory, table)


def _start(directory: str, table: NetworkTable) -> None:
    before = table.name_server()
    with ExitStack() as stack:
        datagrams, listener = _sockets(before[1] if before else 0)
        stack.callback(datagrams.close)
        stack.callback(listener.close)
        place = datagrams.getsockname()
        pid = _spawn(directory, datagrams, listener)
    draft = f"{directory}/{RECORD}.new"
    with open(draft, "w", encoding="ascii") as file:
        json.dump({"pid": pid, "start": reaper.start_time_of(pid)}, file)
    os.replace(draft, f"{directory}/{RECORD}")
    table.set_name_server(*place)


def _sockets(port: int) -> tuple[socket.socket, socket.socket]:
    """Return sockets for datagrams and streams at one port, at *port* if it is free."""
    import socket

    address = format_address(bridge_subnet(os.getuid()).base + 1)
    for turn in range(_TRIES):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port if turn == 0 else 0))
            datagrams.bind(listener.getsockname())
            listener.listen(128)
        except OSError:
            listener.close()
            datagrams.close()
            if turn == _TRIES - 1:
                raise
        else:
            break
    return datagrams, listener


def _spawn(directory: str, datagrams: socket.socket, listener: socket.socket) -> int:
    import fcntl

    # Above the numbers that they become, so that no move overwrites one that is still needed.
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    numbers = (datagrams.fileno(), listener.fileno(), null)
    high = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in numbers]
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-SsP", "-m", "sandbox.runtime.network.names.server", directory],
            {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            file_actions=[
                *((os.POSIX_SPAWN_DUP2, high[2], number) for number in range(3)),
                (os.POSIX_SPAWN_DUP2, high[0], _DATAGRAMS),
                (os.POSIX_SPAWN_DUP2, high[1], _STREAMS),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGTERM, signal.SIGCHLD),
        )
    finally:
        for number in (*high, null):
            os.close(number)

# SPDX-License-Identifier: MIT
"""The server of the API: the process behind ``sandbox serve``.

How it works: it listens on a unix socket in the runtime directory, which it locks, or on
sockets from systemd (LISTEN_FDS). Containers have their own supervisors and continue when
the server ends.

Rules: only the socket's user may connect: the socket has mode 0600 in a directory of mode
0700, and `access` judges every peer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.api.access import Access, read_token
from sandbox.api.call import State
from sandbox.api.containers.attach_streams import Attachments
from sandbox.api.containers.exec_processes import Execs
from sandbox.api.dispatch import Dispatcher
from sandbox.api.events.feed import Hub
from sandbox.api.events.inotify import Changes
from sandbox.api.routes import ROUTES
from sandbox.api.thread_pools import Work
from sandbox.errors import Conflict, UsageError
from sandbox.runtime.process import descriptor_limit
from sandbox.runtime.supervisor import protocol
from sandbox.store.lock import acquire, open_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.engine import Engine

_FIRST_FD = 3
_LONGEST_LINE = 1024 * 1024  # the query string contains build arguments
LOG = logging.getLogger("sandbox.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings: the server ends after *idle* seconds without a request; None: never."""

    socket: str
    tcp: tuple[str, int] | None = None
    token_file: Path | None = None
    idle: float | None = None
    ready: Callable[[list[str]], None] | None = None


def serve(engine: Engine, settings: Settings) -> None:
    """Serve until a signal or the idle time ends the server."""
    asyncio.run(_Server(engine, settings).run())


def inherited() -> list[socket.socket]:
    """Return the listening sockets of LISTEN_FDS, if they are for this process."""
    if os.environ.get("LISTEN_PID", "") != str(os.getpid()):
        return []
    try:
        count = int(os.environ.get("LISTEN_FDS", "0"))
    except ValueError:
        raise UsageError("LISTEN_FDS is not a number") from None
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    found = []
    for fd in range(_FIRST_FD, _FIRST_FD + count):
        os.set_inheritable(fd, False)
        listener = socket.socket(fileno=fd)
        listener.setblocking(False)
        found.append(listener)
    return found


class _Server:
    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._end = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None
        self._lock: int | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        descriptor_limit.widen()
        access = self._access()
        listeners = self._listeners()
        work = Work()
        changes = Changes()
        state = State(
            engine=self._engine,
            work=work,
            changes=changes,
            hub=Hub(self._engine, changes),
            attachments=Attachments(),
            execs=Execs(self._engine),
            address=self._settings.socket,
        )
        dispatcher = Dispatcher(ROUTES, state, access)
        dispatcher.on_idle = self._idleness
        server = web.Server(
            dispatcher,
            access_log=None,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            auto_decompress=False,
        )
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        for listener in listeners:
            await web.SockSite(runner, listener, backlog=1024).start()
        self._idleness(True)
        if self._settings.ready is not None:
            self._settings.ready([_name(listener) for listener in listeners])
        try:
            await self._end.wait()
        finally:
            state.hub.close()
            await runner.cleanup()
            state.execs.close()
            work.close()
            changes.close()
            self._remove()

    def _access(self) -> Access:
        file = self._settings.token_file
        return Access(
            self._engine.layout,
            uid=os.getuid(),
            address=self._settings.socket,
            token=read_token(file) if file is not None else "",
        )

    def _listeners(self) -> list[socket.socket]:
        found = inherited()
        if not found:
            self._lock = _locked(self._settings.socket)
            found.append(protocol.listen(self._settings.socket))
        if self._settings.tcp is not None:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self._settings.tcp)
            listener.listen(128)
            listener.setblocking(False)
            found.append(listener)
        return found

    def _idleness(self, idle: bool) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if idle and self._settings.idle is not None:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._settings.idle, self._end.set)

    def _remove(self) -> None:
        if self._lock is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._settings.socket)
            os.close(self._lock)


def _locked(path: str) -> int:
    """Lock the socket's path; raise `Conflict` if another server has it."""
    from pathlib import Path

    fd = open_lock(Path(f"{path}.lock"))
    if not acquire(fd, wait=False):
        os.close(fd)
        raise Conflict(f"another server listens at {path}")
    return fd


def _name(listener: socket.socket) -> str:
    address = listener.getsockname()
    if isinstance(address, tuple):
        return f"tcp://{address[0]}:{address[1]}"
    return f"unix://{os.fsdecode(address)}"


def default_socket(make: Callable[[], str]) -> Path:
    """Return the default path of the socket; make the runtime directory."""
    from pathlib import Path

    return Path(make()) / "docker.sock"

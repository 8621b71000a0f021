# SPDX-License-Identifier: MIT
"""The exec processes of a server: created, running, ended.

How it works: the fork server (`sandbox.runtime.exec.forkserver`) starts the process with
pipes or a terminal. This process holds the other ends and passes the output to the client.

Rules: an ended exec is remembered for a while; the oldest is forgotten first.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.errors import CommandNotExecutable, CommandNotFound, NotFound, RuntimeFailed
from sandbox.models.record import plain
from sandbox.runtime.exec import forkserver

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sandbox.engine import Engine
    from sandbox.models.container import Container
    from sandbox.runtime.exec.exec_process import ExecRequest

_REMEMBERED = 2000
_LOST = 137


@dataclass(eq=False)
class Exec:
    """One exec; *exit_code* is None until it has ended."""

    id: str
    container: Container
    request: ExecRequest
    stdout: bool = True
    stderr: bool = True
    detach_keys: str = ""
    claimed: bool = False
    """Whether a client has asked for its start."""
    running: bool = False
    started: bool = False
    pid: int = 0
    exit_code: int | None = None
    master: int | None = None
    size: tuple[int, int] | None = None
    born: asyncio.Future[int] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Execs:
    """All execs of one server."""

    def __init__(self, engine: Engine) -> None:
        """Start without a fork server."""
        self._engine = engine
        self._all: dict[str, Exec] = {}
        self._connection: socket.socket | None = None
        self._lock = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()

    def add(self, item: Exec) -> None:
        """Remember an exec."""
        ended = [one.id for one in self._all.values() if one.exit_code is not None]
        for name in ended[: max(0, len(self._all) - _REMEMBERED)]:
            del self._all[name]
        self._all[item.id] = item

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task for which no request waits."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def find(self, name: str) -> Exec:
        """Return the exec of this id."""
        try:
            return self._all[name]
        except KeyError:
            raise NotFound(f"no such exec instance: {name}") from None

    def of(self, container_id: str) -> list[str]:
        """Return the ids of the execs that run in a container."""
        every = self._all.values()
        return [one.id for one in every if one.running and one.container.config.id == container_id]

    async def start(self, item: Exec, fds: list[int], *, free: bool) -> None:
        """Start the process with these descriptors, and close them in this process."""
        loop = asyncio.get_running_loop()
        item.born = loop.create_future()
        message = {
            "id": item.id,
            "root": os.fspath(self._engine.layout.root),
            "container": item.container.config.id,
            "runDir": item.container.state.run_dir,
            "request": plain(item.request),
            "free": free,
        }
        try:
            connection = await self._helper()
            data = json.dumps(message).encode()
            while True:
                try:
                    socket.send_fds(connection, [data], fds)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.002)
        except OSError as exc:
            raise RuntimeFailed(f"cannot start the process: {exc}") from exc
        finally:
            for fd in fds:
                os.close(fd)
        await item.born

    async def _helper(self) -> socket.socket:
        async with self._lock:
            if self._connection is None:
                loop = asyncio.get_running_loop()
                connection = await loop.run_in_executor(None, forkserver.spawn)
                connection.setblocking(False)
                self._connection = connection
                loop.add_reader(connection, self._heard, connection)
            return self._connection

    def _heard(self, connection: socket.socket) -> None:
        while True:
            try:
                data = connection.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost(connection)
                return
            self._take(json.loads(data))

    def _take(self, message: dict[str, Any]) -> None:
        item = self._all.get(message["id"])
        if item is None or item.born is None:
            return
        if "pid" in message:
            item.pid = message["pid"]  # before a client learns that it runs
            item.started = item.running = True
            if not item.born.done():  # otherwise the server ends and no request waits
                item.born.set_result(item.pid)
        elif "error" in message:
            item.exit_code = message["code"]
            item.ended.set()
            if not item.born.done():
                item.born.set_exception(_refusal(message["error"], message["code"]))
        else:
            self._end(item, message["exit"])

    def _end(self, item: Exec, code: int) -> None:
        item.running = False
        item.exit_code = code
        item.ended.set()
        self._engine.streams.tell_exec_end(item.container, item.id, code)

    def _lost(self, connection: socket.socket) -> None:
        """Handle the death of the fork server, which ends all its processes."""
        asyncio.get_running_loop().remove_reader(connection)
        connection.close()
        self._connection = None
        for item in self._all.values():
            if item.running:
                self._end(item, _LOST)
            elif item.born is not None and not item.born.done():
                item.born.set_exception(RuntimeFailed("the helper that starts processes is gone"))

    def close(self) -> None:
        """End the fork server, and with it the attached processes."""
        for task in self._background:
            task.cancel()
        if self._connection is not None:
            with suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._connection)
            self._connection.close()
            self._connection = None


def _refusal(text: str, code: int) -> RuntimeFailed:
    if code == CommandNotFound.exit_code:
        return CommandNotFound(text)
    if code == CommandNotExecutable.exit_code:
        return CommandNotExecutable(text)
    return RuntimeFailed(text)

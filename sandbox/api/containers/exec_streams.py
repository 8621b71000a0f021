# SPDX-License-Identifier: MIT
"""Copy between the pipes or the terminal of one exec and a client's connection.

Rules: all output that the process wrote is sent before its end is reported. A client that
does not read blocks the process, and a process that does not read blocks its client. When
the client leaves, the process continues: its input ends, and its output is read and dropped.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.api.streams import splice
from sandbox.api.streams.hijack import Gone
from sandbox.runtime import terminal
from sandbox.runtime.supervisor import protocol
from sandbox.runtime.terminal import KeyWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.api.containers.exec_processes import Exec
    from sandbox.api.streams.hijack import Hijacked

_CHUNK = 256 * 1024
_PIPE_SIZE = 1024 * 1024
_LAST_OUTPUT = 0.2  # seconds for output that background children of the process hold open


class Pump:
    """The streams of one exec."""

    def __init__(self, connection: Hijacked, item: Exec, *, framed: bool) -> None:
        """Join *item* to *connection*, with Docker's frames or raw; open nothing yet."""
        self._connection = connection
        self.item = item
        self.framed = framed
        self._sources: dict[int, int] = {}
        self._input: int | None = None
        self._keys = KeyWatch(b"")
        self._detached = asyncio.Event()

    def open(self, keys: bytes) -> list[int]:
        """Make pipes or a terminal and return the process's ends."""
        item = self.item
        if item.request.tty:
            self._keys = KeyWatch(keys)
            pty = terminal.open_pty(None)
            item.master = pty.master
            if item.size:
                terminal.set_size(pty.master, *item.size)
            os.set_blocking(pty.master, False)
            self._sources[pty.master] = protocol.STDOUT
            if item.request.stdin:
                self._input = os.dup(pty.master)
            return [pty.slave]
        if item.request.stdin:
            stdin, self._input = _pipe()
            os.set_blocking(self._input, False)
        else:
            stdin = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        ends = [stdin]
        for stream in (protocol.STDOUT, protocol.STDERR):
            ours, theirs = _pipe()
            os.set_blocking(ours, False)
            self._sources[ours] = stream
            ends.append(theirs)
        return ends

    async def run(self) -> None:
        """Copy both ways until the process has ended and its output is sent."""
        showing = [asyncio.create_task(self._show(fd)) for fd in self._sources]
        typing = asyncio.create_task(self._type()) if self._input is not None else None
        leaving = asyncio.create_task(self._connection.until_gone())
        detached = asyncio.create_task(_set(self._detached))
        shown = asyncio.create_task(_all(showing))
        ended = asyncio.create_task(_set(self.item.ended))
        try:
            await asyncio.wait(
                {leaving, detached, ended, shown}, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done() or shown.done():
                await self._last_words(shown, ended, leaving, detached)
        finally:
            for task in (typing, leaving, detached, ended, *showing):
                if task is not None:
                    task.cancel()
            await asyncio.gather(
                *(task for task in (typing, leaving, detached, ended, *showing) if task),
                return_exceptions=True,
            )
            self._close_input()
            if self.item.ended.is_set():
                self.close()

    @property
    def was_left(self) -> bool:
        """Tell whether the client typed the detach keys."""
        return self._detached.is_set()

    @property
    def goes_on(self) -> bool:
        """Tell whether the process runs without a reader of its output."""
        return bool(self._sources)

    async def read_on(self) -> None:
        """Read and drop the output until the process has ended."""
        skipping = [asyncio.create_task(_skip(fd)) for fd in self._sources]
        try:
            await self.item.ended.wait()
        finally:
            for task in skipping:
                task.cancel()
            await asyncio.gather(*skipping, return_exceptions=True)
            self.close()

    async def _last_words(
        self,
        shown: asyncio.Task[None],
        ended: asyncio.Task[None],
        leaving: asyncio.Task[None],
        detached: asyncio.Task[None],
    ) -> None:
        """Wait for the rest of the output, and for the end of the process."""
        while not shown.done() and not leaving.done() and not detached.done():
            if not ended.done():
                everything = {shown, ended, leaving, detached}
                await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
                continue
            # The process is gone; its children may keep its output open for ever.
            if not await self._grows(shown):
                return
        if shown.done() and not ended.done():
            left = {ended, leaving, detached}
            await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)

    async def _grows(self, shown: asyncio.Task[None]) -> bool:
        before = self._count
        await asyncio.wait({shown}, timeout=_LAST_OUTPUT)
        return self._count != before or self._sending

    _count = 0
    _sending = False

    async def _show(self, fd: int) -> None:
        stream = self._sources[fd]
        is_wanted = self.item.stderr if stream == protocol.STDERR else self.item.stdout
        with suppress(Gone):
            if self.item.request.tty or not (self.framed and is_wanted):
                await self._copy(fd, stream, is_wanted=is_wanted)
            else:
                await self._frame(fd, stream)

    async def _copy(self, fd: int, stream: int, *, is_wanted: bool) -> None:
        """Send the terminal's output, or drop it after the client has left."""
        while data := await _read(fd):
            if is_wanted:
                with self._counted(len(data)):
                    framed = protocol.frame(stream, data) if self.framed else data
                    await self._connection.write(framed)

    async def _frame(self, fd: int, stream: int) -> None:
        while held := await splice.held(fd):
            count = min(held, _CHUNK)
            with self._counted(count):
                await self._connection.send_from(fd, count, protocol.header(stream, count))

    @contextmanager
    def _counted(self, count: int) -> Iterator[None]:
        self._count += count
        self._sending = True
        try:
            yield
        finally:
            self._sending = False

    async def _type(self) -> None:
        assert self._input is not None
        with suppress(OSError):
            if self.item.request.tty:
                await self._type_keys(self._input)
            else:
                await self._connection.pour(self._input)
        if not self.item.request.tty:
            self._close_input()

    async def _type_keys(self, fd: int) -> None:
        while data := await self._connection.read():
            passed = self._keys.take(data)
            if passed:
                await splice.write(fd, passed)
            if self._keys.found:
                self._detached.set()
                return

    def _close_input(self) -> None:
        if self._input is not None:
            os.close(self._input)
            self._input = None

    def close(self) -> None:
        """Close this side's ends."""
        self._close_input()
        self.item.master = None
        for fd in self._sources:
            os.close(fd)
        self._sources = {}


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


async def _set(event: asyncio.Event) -> None:
    await event.wait()


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe2(os.O_CLOEXEC)
    with suppress(OSError):  # over this user's limit: the usual size serves, too
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    return reader, writer


async def _read(fd: int) -> bytes:
    """Wait for data and return it; empty at the end."""
    while True:
        try:
            return os.read(fd, _CHUNK)
        except BlockingIOError:
            await splice.ready(fd, writing=False)
        except OSError:
            return b""  # EIO: the terminal's other side is closed


async def _skip(fd: int) -> None:
    while await _read(fd):
        await asyncio.sleep(0)

# SPDX-License-Identifier: MIT
"""``GET /containers/{name}/logs``, also while the container writes."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.api.containers.wait import settled
from sandbox.api.errors import BadRequest
from sandbox.api.query import moment
from sandbox.api.streams.hijack import MULTIPLEXED, RAW
from sandbox.errors import SandboxError
from sandbox.runtime.logs.reader import Line, Reader, Span
from sandbox.runtime.logs.writer import stamp
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.api.events.feed import Listener
    from sandbox.models.container import Container
_TICK = 1.0
_NAP = 0.05
_PIECE = 64 * 1024


# ---- logs -----------------------------------------------------------------------------------


async def logs(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/logs``."""
    wanted = _wanted(call)
    container = await call.work.look(call.engine.containers.get, call.args["name"])
    span = _span(call)
    reader = await call.work.look(call.engine.streams.logs, container.config.id, span)
    tty = container.config.tty
    try:
        response = await call.stream(RAW if tty or call.version < (1, 42) else MULTIPLEXED)
        show = _Shown(response, wanted, tty=tty, stamps=call.flag("timestamps"))
        await _past(call, reader, show)
        if call.flag("follow"):
            await _follow(call, container, reader, show)
        await response.write_eof()
        return response
    finally:
        reader.close()


def _wanted(call: Call) -> frozenset[str]:
    found = frozenset(name for name in ("stdout", "stderr") if call.flag(name))
    if not found:
        raise BadRequest("Bad parameters: you must choose at least one stream")
    return found


def _span(call: Call) -> Span:
    def bound(name: str) -> str:
        text = call.text(name)
        if text in ("", "0"):
            return ""
        return stamp(int(moment(text) * 10**9))

    tail = call.text("tail") or "all"
    count = int(tail) if tail.isdecimal() else None
    return Span(since=bound("since"), until=bound("until"), tail=count)


class _Shown:
    """Lines on their way to a client."""

    def __init__(
        self, response: web.StreamResponse, wanted: frozenset[str], *, tty: bool, stamps: bool
    ) -> None:
        self._response = response
        self._wanted = wanted
        self._tty = tty
        self._stamps = stamps

    async def show(self, lines: list[Line]) -> None:
        data = b"".join(self._bytes(line) for line in lines if line.stream in self._wanted)
        if data:
            await self._response.write(data)

    def _bytes(self, line: Line) -> bytes:
        text = f"{line.time} {line.text}" if self._stamps else line.text
        data = text.encode("utf-8", "surrogateescape")
        if self._tty:
            return data
        return protocol.frame(protocol.STDERR if line.stream == "stderr" else protocol.STDOUT, data)


async def _past(call: Call, reader: Reader, shown: _Shown) -> None:
    lines = reader.past()
    while piece := await call.work.look(_some, lines):
        await shown.show(piece)


def _some(lines: Any) -> list[Line]:
    found, size = [], 0
    for line in lines:
        found.append(line)
        size += len(line.text)
        if size > _PIECE:
            break
    return found


async def _follow(call: Call, container: Container, reader: Reader, shown: _Shown) -> None:
    """Send added lines until the container has ended."""
    news = asyncio.Event()
    listener = call.state.hub.listen(about=container.config.id, wake=news.set)
    try:
        with call.state.changes.watching(reader.directory, news.set) as is_told:
            looked, ends = 0.0, False
            while not call.is_gone and not reader.is_over:
                news.clear()
                found = await call.work.look(_some, reader.fresh())
                await shown.show(found)
                if found:
                    continue
                if ends:
                    return
                if died := _time_of_end(listener):
                    present = await settled(call, container, died)
                    ends = present is None or not present.state.is_running
                elif time.monotonic() - looked > _TICK:  # a killed supervisor leaves no event
                    looked = time.monotonic()
                    ends = not await _is_alive(call, container.config.id)
                else:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_TICK if is_told else _NAP):
                            await news.wait()
    finally:
        call.state.hub.leave(listener)


def _time_of_end(listener: Listener) -> int:
    """Return the end of the container in nanoseconds since 1970; 0 without an event."""
    moments = [
        event["timeNano"] if event else time.time_ns()
        for event in listener.waiting()
        if event is None or event["Action"] in ("die", "destroy")
    ]
    return moments[-1] if moments else 0


async def _is_alive(call: Call, identity: str) -> bool:
    try:
        container = await call.work.look(call.engine.containers.get, identity)
    except SandboxError:
        return False
    return container.state.is_running

# SPDX-License-Identifier: MIT
"""What goes on for long: wait, logs, stats, events. Hundreds of clients, no thread each."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.api.call import encode
from sandbox.api.errors import BadRequest
from sandbox.api.query import as_flags, moment
from sandbox.api.streams.hijack import MULTIPLEXED, RAW
from sandbox.errors import SandboxError
from sandbox.models.filters import event_filter
from sandbox.runtime.logs.reader import Line, Reader, Span
from sandbox.runtime.logs.writer import stamp
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.api.events.feed import Event, Listener
    from sandbox.models.container import Container

_CONDITIONS = ("not-running", "next-exit", "removed")
_TICK = 1.0
_NAP = 0.05
_PATIENCE = 30.0  # seconds that a record may come after its event
_PIECE = 64 * 1024
_LOST = 137


# ---- wait -----------------------------------------------------------------------------------


async def wait(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/wait``: the head is sent at once."""
    condition = call.text("condition") or "not-running"
    if condition not in _CONDITIONS:
        raise BadRequest(f'invalid condition: "{condition}"')
    container = await call.work.look(call.engine.container, call.args["name"])
    listener = call.state.hub.listen(about=container.config.id)
    try:
        # Once more: what happened before anybody listened.
        container = await call.work.look(call.engine.container, container.config.id)
        response = await call.stream()
        code = await _outcome(call, container, condition, listener)
        if code is not None:
            await response.write(encode({"StatusCode": code}) + b"\n")
            await response.write_eof()
        return response
    finally:
        call.state.hub.leave(listener)


async def _outcome(call: Call, before: Container, condition: str, listener: Listener) -> int | None:
    """Return the exit code; None if the client went away first."""
    code = _LOST if before.state.is_running else before.state.exit_code
    if condition == "not-running" and not before.state.is_running:
        return code
    while not call.is_gone:
        event = await _next(listener)
        action = event["Action"] if event else ""
        code = _code_in([event], code)
        if action == "destroy":
            return code
        if action not in ("die", ""):
            continue
        present = await _settled(call, before, event["timeNano"] if event else 0)
        if present is None:  # gone, and what told of its end may not have been read yet
            return _code_in(listener.waiting(fresh=True), code)
        state = present.state
        # Docker takes a container that is about to run again for one that has ended, too.
        if condition != "removed" and action == "die":
            return code
        has_run = before.state.is_running or state.started_at != before.state.started_at
        if condition != "removed" and state.status == "exited" and has_run:
            return state.exit_code
    return None


def _code_in(events: list[Event | None], code: int) -> int:
    """Return the exit code that the last of these events tells of, or *code*."""
    for event in events:
        if event is not None and event["Action"] == "die":
            code = int(event["Actor"]["Attributes"].get("exitCode", _LOST))
    return code


async def _settled(call: Call, before: Container, died: int) -> Container | None:
    """Return the container once its record says what an event said; None if it is gone.

    *died*: when its run ended, in nanoseconds since 1970, or 0. The record follows the event
    soon, on a busy machine later; it may tell of the next run already.
    """
    nap, left = 0.002, _PATIENCE
    while True:
        try:
            present = await call.work.look(call.engine.container, before.config.id)
        except SandboxError:
            return None
        state = present.state
        is_true = state.status not in ("running", "paused") or state.started_at > stamp(died)
        if not died or is_true or left <= 0 or call.is_gone:
            return present
        await asyncio.sleep(nap)
        left -= nap
        nap = min(nap * 1.6, _NAP)


async def _next(listener: Listener) -> Event | None:
    """Return the next event, None after a while."""
    try:
        return await listener.next(_TICK)
    except EOFError:
        await asyncio.sleep(_TICK)
        return None


# ---- logs -----------------------------------------------------------------------------------


async def logs(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/logs``."""
    wanted = _wanted(call)
    container = await call.work.look(call.engine.container, call.args["name"])
    span = _span(call)
    reader = await call.work.look(call.engine.log_reader, container.config.id, span)
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
    """Show what is added until the container has ended."""
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
                    present = await _settled(call, container, died)
                    ends = present is None or not present.state.is_running
                elif time.monotonic() - looked > _TICK:  # it may have been killed: no event
                    looked = time.monotonic()
                    ends = not await _is_alive(call, container.config.id)
                else:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_TICK if is_told else _NAP):
                            await news.wait()
    finally:
        call.state.hub.leave(listener)


def _time_of_end(listener: Listener) -> int:
    """Return when the container ended, in nanoseconds since 1970; 0 if no event tells it."""
    moments = [
        event["timeNano"] if event else time.time_ns()
        for event in listener.waiting()
        if event is None or event["Action"] in ("die", "destroy")
    ]
    return moments[-1] if moments else 0


async def _is_alive(call: Call, identity: str) -> bool:
    try:
        container = await call.work.look(call.engine.container, identity)
    except SandboxError:
        return False
    return container.state.is_running


# ---- events ---------------------------------------------------------------------------------


async def events(call: Call) -> web.StreamResponse:
    """``GET /events``."""
    since = moment(call.text("since")) if call.text("since") else None
    until = moment(call.text("until")) if call.text("until") else None
    if since is not None and until is not None and since > until:
        raise BadRequest(f"`since` time ({since:.9f}) cannot be after `until` time ({until:.9f})")
    matches = event_filter(as_flags(call.filters()))
    listener = call.state.hub.listen(since=since)
    try:
        response = await call.stream()
        for event in listener.history:
            if _is_before(event, until) and matches(event):
                await response.write(encode(event) + b"\n")
        while not call.is_gone:
            left = _TICK if until is None else min(_TICK, until - time.time())
            if left <= 0:
                break
            event_or_none = await listener.next(left)
            if event_or_none is not None and matches(event_or_none):
                await response.write(encode(event_or_none) + b"\n")
        await response.write_eof()
        return response
    except EOFError:
        return response
    finally:
        call.state.hub.leave(listener)


def _is_before(event: Event, until: float | None) -> bool:
    return until is None or float(event.get("timeNano", 0)) / 1e9 <= until

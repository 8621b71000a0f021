# SPDX-License-Identifier: MIT
"""``POST /containers/{name}/wait``: many clients may wait at once without a thread each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.api.call import encode
from sandbox.api.errors import BadRequest
from sandbox.errors import SandboxError
from sandbox.runtime.logs.writer import stamp

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.api.events.feed import Event, Listener
    from sandbox.models.container import Container


_CONDITIONS = ("not-running", "next-exit", "removed")

_TICK = 1.0

_NAP = 0.05

_PATIENCE = 30.0  # seconds by which a record may follow its event

_LOST = 137


async def wait(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/wait``: send the head at once."""
    condition = call.text("condition") or "not-running"
    if condition not in _CONDITIONS:
        raise BadRequest(f'invalid condition: "{condition}"')
    container = await call.work.look(call.engine.containers.get, call.args["name"])
    listener = call.state.hub.listen(about=container.config.id)
    try:
        # Check again: the event may have come before this task listened.
        container = await call.work.look(call.engine.containers.get, container.config.id)
        response = await call.stream()
        code = await _outcome(call, container, condition, listener)
        if code is not None:
            await response.write(encode({"StatusCode": code}) + b"\n")
            await response.write_eof()
        return response
    finally:
        call.state.hub.leave(listener)


async def _outcome(call: Call, before: Container, condition: str, listener: Listener) -> int | None:
    """Return the exit code, or None if the client left first."""
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
        present = await settled(call, before, event["timeNano"] if event else 0)
        if present is None:  # gone; the event of its end may not have been read yet
            return _code_in(listener.waiting(fresh=True), code)
        state = present.state
        # For Docker, too, a container that is about to restart has ended.
        if condition != "removed" and action == "die":
            return code
        has_run = before.state.is_running or state.started_at != before.state.started_at
        if condition != "removed" and state.status == "exited" and has_run:
            return state.exit_code
    return None


def _code_in(events: list[Event | None], code: int) -> int:
    """Return the exit code of the last of these events, or *code*."""
    for event in events:
        if event is not None and event["Action"] == "die":
            code = int(event["Actor"]["Attributes"].get("exitCode", _LOST))
    return code


async def settled(call: Call, before: Container, died: int) -> Container | None:
    """Wait until a container's record agrees with its event; return None if it is gone.

    *died*: the end of its run in nanoseconds since 1970, or 0. The record follows the event
    soon, on a busy machine later; it may already describe the next run.
    """
    nap, left = 0.002, _PATIENCE
    while True:
        try:
            present = await call.work.look(call.engine.containers.get, before.config.id)
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
    """Return the next event, or None after a while."""
    try:
        return await listener.next(_TICK)
    except EOFError:
        await asyncio.sleep(_TICK)
        return None

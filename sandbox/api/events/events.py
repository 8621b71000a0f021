# SPDX-License-Identifier: MIT
"""``GET /events``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.api.call import encode
from sandbox.api.errors import BadRequest
from sandbox.api.query import as_flags, moment
from sandbox.models.filters import event_filter

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.api.events.feed import Event
_TICK = 1.0


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

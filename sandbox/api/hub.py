# SPDX-License-Identifier: MIT
"""What happens in the store, told to everybody who listens: one reader for all.

How it works: the store's file of events is read when inotify says that it grew (or ten
times a second where that cannot be had). Each listener has a queue.

Rules: a listener that is too far behind is told the end, never waited for.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.api import inotify

if TYPE_CHECKING:
    from sandbox.engine import Engine

_LONGEST_QUEUE = 20_000
_NAP = 0.1
Event = dict[str, Any]


class Listener:
    """One listener's queue; None in it is the end."""

    def __init__(self, hub: Hub, history: list[Event]) -> None:
        """Begin with what is past."""
        self._hub = hub
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.history = history

    async def next(self, seconds: float) -> Event | None:
        """Return the next event; None if none comes in this time. `EOFError` at the end."""
        try:
            async with asyncio.timeout(seconds):
                event = await self._queue.get()
        except TimeoutError:
            return None
        if event is None:
            raise EOFError
        return event

    def put(self, event: Event | None) -> None:
        """Take an event, or the end."""
        if self._queue.qsize() >= _LONGEST_QUEUE:
            self._hub.leave(self)
            event = None
        self._queue.put_nowait(event)


class Hub:
    """All listeners of one server."""

    def __init__(self, engine: Engine) -> None:
        """Begin to read at the present end."""
        engine.layout.prepare()
        self._follower = engine.follow_events()
        self._listeners: set[Listener] = set()
        self._loop = asyncio.get_running_loop()
        self._fd = inotify.watch(os.fspath(engine.layout.root))
        self._naps: asyncio.Task[None] | None = None
        if self._fd is not None:
            self._loop.add_reader(self._fd, self._heard)
        else:
            self._naps = self._loop.create_task(self._look_again_and_again())

    def listen(self, *, since: float | None = None) -> Listener:
        """Return a new listener, with the history from *since* on, and no gap after it."""
        self._tell()
        listener = Listener(self, [] if since is None else self._follower.history(since))
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell it nothing more."""
        self._listeners.discard(listener)

    def _heard(self) -> None:
        assert self._fd is not None
        inotify.drain(self._fd)
        self._tell()

    def _tell(self) -> None:
        for event in self._follower.poll():
            for listener in list(self._listeners):
                listener.put(event)

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_NAP)
            with suppress(OSError):
                self._tell()

    def close(self) -> None:
        """End everybody's listening."""
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
        if self._naps is not None:
            self._naps.cancel()
        for listener in self._listeners:
            listener.put(None)
        self._follower.close()

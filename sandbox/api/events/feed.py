# SPDX-License-Identifier: MIT
"""The feed of the store's events: one reader for all listeners of a server.

How it works: the hub reads the store's file of events when inotify reports that it grew (or
ten times a second without inotify). Each listener has a queue.

Rules: the hub never waits for a listener; a listener that is too far behind gets the end.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.api.events.inotify import Changes
    from sandbox.engine import Engine

_LONGEST_QUEUE = 20_000
_NAP = 0.1
Event = dict[str, Any]


class Listener:
    """One listener's queue; None in it is the end."""

    def __init__(
        self, hub: Hub, history: list[Event], *, about: str = "", wake: Callable[[], None]
    ) -> None:
        """Start with past events; *about* is the id of the only object of interest."""
        self._hub = hub
        self._about = about
        self._wake = wake
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.history = history

    async def next(self, seconds: float) -> Event | None:
        """Return the next event, or None after this time. Raises `EOFError` at the end."""
        try:
            async with asyncio.timeout(seconds):
                event = await self._queue.get()
        except TimeoutError:
            return None
        if event is None:
            raise EOFError
        return event

    def waiting(self, *, fresh: bool = False) -> list[Event | None]:
        """Return the events in the queue; None in it is the end.

        With *fresh* the store is read first, so that the queue holds every past event.
        """
        if fresh:
            self._hub.look()
        found = []
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def put(self, event: Event | None) -> None:
        """Take an event, or the end."""
        if event is not None and self._about not in ("", event["Actor"]["ID"]):
            return
        if self._queue.qsize() >= _LONGEST_QUEUE:
            self._hub.leave(self)
            event = None
        self._queue.put_nowait(event)
        self._wake()


class Hub:
    """All listeners of one server."""

    def __init__(self, engine: Engine, changes: Changes) -> None:
        """Start reading at the present end."""
        engine.layout.prepare()
        self._follower = engine.streams.events()
        self._listeners: set[Listener] = set()
        self._loop = asyncio.get_running_loop()
        self._naps: asyncio.Task[None] | None = None
        self._watch = ExitStack()
        if not self._watch.enter_context(
            changes.watching(os.fspath(engine.layout.root), self.look)
        ):
            self._naps = self._loop.create_task(self._look_again_and_again())

    def listen(
        self,
        *,
        since: float | None = None,
        about: str = "",
        wake: Callable[[], None] = lambda: None,
    ) -> Listener:
        """Return a new listener, with the history from *since* on and no gap after it.

        It gets the events of the object with the id *about*, or all if that is empty. *wake*
        is called when its queue has an event.
        """
        self.look()
        history = [] if since is None else self._follower.history(since)
        listener = Listener(self, history, about=about, wake=wake)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener."""
        self._listeners.discard(listener)

    def look(self) -> None:
        """Read new events and pass them to the listeners."""
        for event in self._follower.poll():
            for listener in list(self._listeners):
                listener.put(event)

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_NAP)
            with suppress(OSError):
                self.look()

    def close(self) -> None:
        """Send the end to every listener."""
        self._watch.close()
        if self._naps is not None:
            self._naps.cancel()
        for listener in self._listeners:
            listener.put(None)
        self._follower.close()

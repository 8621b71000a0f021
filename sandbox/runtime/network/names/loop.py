# SPDX-License-Identifier: MIT
"""The event loop of the name server: sockets, and timers that end what takes too long.

Rules: no call blocks. Without a timer the loop sleeps until a socket is ready.
"""

from __future__ import annotations

import heapq
import selectors
import time
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Timer:
    """A call that is due later, unless it is stopped."""

    def __init__(self, call: Callable[[], None]) -> None:
        """Remember *call*."""
        self._call: Callable[[], None] | None = call

    def stop(self) -> None:
        """Never make the call."""
        self._call = None

    @property
    def is_wanted(self) -> bool:
        """Tell whether the call is still to be made."""
        return self._call is not None

    def ring(self) -> None:
        """Make the call, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


class Loop:
    """Calls what belongs to each ready socket and each timer."""

    def __init__(self) -> None:
        """Watch nothing."""
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()

    def watch(
        self, item: socket.socket | int, mask: int, call: Callable[[int], None] | None
    ) -> None:
        """Call *call* with the events of *mask* that a socket is ready for; none ends that."""
        number = item if isinstance(item, int) else item.fileno()
        known = number in self._selector.get_map()
        if call is None or not mask:
            if known:
                self._selector.unregister(number)
        elif known:
            self._selector.modify(number, mask, call)
        else:
            self._selector.register(number, mask, call)

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Make a call later."""
        timer = Timer(call)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    def turn(self) -> None:
        """Wait for the next event and serve what is ready."""
        while self._timers and not self._timers[0][2].is_wanted:
            heapq.heappop(self._timers)
        wait = self._timers[0][0] - time.monotonic() if self._timers else None
        for key, mask in self._selector.select(None if wait is None else max(0.0, wait)):
            now = self._selector.get_map().get(key.fd)
            if now is not None and now.data == key.data:  # an earlier call may have closed it
                key.data(mask)
        moment = time.monotonic()
        while self._timers and self._timers[0][0] <= moment:
            heapq.heappop(self._timers)[2].ring()

# SPDX-License-Identifier: MIT
"""How many entries the layers that are unpacked at the same time may have together.

How it works: an unpacker keeps a few bytes of each entry in memory. Each reports how
many it has; while they are too many together, all but the eldest wait.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOGETHER = 1_000_000


class Turns:
    """Shared by the unpackers of one process."""

    def __init__(self, together: int = _TOGETHER) -> None:
        self._together = together
        self._counts: dict[object, int] = {}  # the eldest first
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[Callable[[int], None]]:
        """Give the function that reports, and waits if it must."""
        me = object()
        with self._changed:
            self._counts[me] = 0

        def report(count: int) -> None:
            with self._changed:
                self._counts[me] = count
                self._changed.wait_for(lambda: self._may_go_on(me))

        try:
            yield report
        finally:
            with self._changed:
                del self._counts[me]
                self._changed.notify_all()

    def _may_go_on(self, who: object) -> bool:
        return sum(self._counts.values()) <= self._together or next(iter(self._counts)) is who

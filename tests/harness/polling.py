# SPDX-License-Identifier: MIT
"""Wait until something is true, with a deadline and never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def until(probe: Callable[[], _T], *, seconds: float = 100) -> _T:
    """Return the first true result of *probe*; fail when the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        time.sleep(0.02)
    return found

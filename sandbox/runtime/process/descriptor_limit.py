# SPDX-License-Identifier: MIT
"""How many descriptors a process may have: a server needs more than programs are used to.

Rules: what a server starts has the limits that the server was started with.
"""

from __future__ import annotations

import resource
from contextlib import suppress

_MANY = 65536
_before: list[tuple[int, int]] = []


def widen() -> None:
    """Let this process have as many as its user may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY if hard == resource.RLIM_INFINITY else min(_MANY, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        _before.append((soft, hard))


def give_back(pid: int) -> None:
    """Give a child the limits from before, before it starts anything itself."""
    for limits in _before[:1]:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

# SPDX-License-Identifier: MIT
"""The limit on descriptors (RLIMIT_NOFILE): a server needs more than programs expect.

Rules: the children of a server have the limits with which the server was started.
"""

from __future__ import annotations

import resource
from contextlib import suppress

_MANY = 65536
_before: list[tuple[int, int]] = []


def widen() -> None:
    """Raise the limit of this process to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY if hard == resource.RLIM_INFINITY else min(_MANY, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        _before.append((soft, hard))


def give_back(pid: int) -> None:
    """Give a child the original limits; call it before the child starts programs."""
    for limits in _before[:1]:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

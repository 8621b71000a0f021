# SPDX-License-Identifier: MIT
"""Limits without a cgroup: the set of CPUs, and the measured memory.

Does not know: what happens to a container that exceeds a limit.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAGE = os.sysconf("SC_PAGE_SIZE")


def parse_cpus(text: str) -> frozenset[int]:
    """Return the CPUs of a list in the syntax of cpuset.

    >>> sorted(parse_cpus("0-2,5"))
    [0, 1, 2, 5]
    """
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"invalid value {text} for cpuset cpus")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def resident_bytes(pids: Iterable[int], *, floor: int = 0) -> int:
    """Return the resident memory of processes in bytes, without pages of files.

    Shared memory counts once: the largest share of any one process. A result of at most
    *floor* may include mapped files; this saves reading /proc for each process.
    """
    own, sharing = 0, {}
    for pid in pids:
        with suppress(OSError, IndexError, ValueError), open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
            sharing[pid] = int(fields[2]) * _PAGE
            own += int(fields[1]) * _PAGE - sharing[pid]
    bound = own + max(sharing.values(), default=0)
    if bound <= floor:
        return bound
    return own + max(map(_shared_bytes, sharing), default=0)


def _shared_bytes(pid: int) -> int:
    """Return the resident bytes of shared memory without a file."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/status", "rb") as file:
        return int(file.read().partition(b"RssShmem:")[2].split(maxsplit=1)[0]) * 1024
    return 0

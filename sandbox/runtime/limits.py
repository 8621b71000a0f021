"""Limits that need no cgroup: which CPUs, and a watch over memory.

Does not know: what happens to whoever crosses one.
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
    """Return the CPUs of a list as cpuset writes it.

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


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the memory that the processes have: shared pages count for each."""
    total = 0
    for pid in pids:
        with suppress(OSError, IndexError, ValueError), open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
            total += (int(fields[1]) - int(fields[2])) * _PAGE
    return total

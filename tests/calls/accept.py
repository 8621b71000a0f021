# SPDX-License-Identifier: MIT
"""Says where a container's answers differ from the kernel's, unless docs/limits.md says why."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WRITES = re.compile(r"^. (write|script|ftruncate|fallocate|map) .* = \d")
_MODE = re.compile(r" -([0-7])([0-7]{3}) ")


def difference(right: Sequence[str], found: Sequence[str]) -> str:
    """Return the first lines that differ, or nothing."""
    writes = any(_WRITES.search(line) for line in right)
    for a, b in zip(right, found, strict=False):
        if a != b and not _lost_rights(a, b, writes):
            return f"kernel:    {a}\ncontainer: {b}"
    if len(right) != len(found):
        return f"kernel:    {len(right)} lines\ncontainer: {len(found)} lines"
    return ""


def _lost_rights(right: str, found: str, writes: bool) -> bool:
    """A file loses its set-id bits when it is opened to write, not at the first write."""
    modes = _MODE.search(right), _MODE.search(found)
    if modes[0] is None or modes[1] is None:
        return False
    ours, theirs = int(modes[1][1]), int(modes[0][1])
    return (writes or ours & ~theirs == 0) and _MODE.sub(r" -\2 ", right) == _MODE.sub(
        r" -\2 ", found
    )

# SPDX-License-Identifier: MIT
"""Says what differs between the kernel's answers and a container's, and is not in docs/limits.md."""

from __future__ import annotations

from collections.abc import Sequence


def difference(right: Sequence[str], found: Sequence[str], place: str) -> str:
    """Return the first lines that differ, or nothing."""
    del place
    for a, b in zip(right, found, strict=False):
        if a != b:
            return f"kernel:    {a}\ncontainer: {b}"
    if len(right) != len(found):
        return f"kernel:    {len(right)} lines\ncontainer: {len(found)} lines"
    return ""

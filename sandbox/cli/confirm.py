# SPDX-License-Identifier: MIT
"""Ask the user before a removal, in Docker's words.

Does not know: what is removed.
"""

from __future__ import annotations

import sys


def agrees(warning: str, *, force: bool, on_one_line: bool = False) -> bool:
    """Return true with *force*, or after the user typed y."""
    if force:
        return True
    question = "Are you sure you want to continue? [y/N] "
    sys.stdout.write(f"{warning}{' ' if on_one_line else chr(10)}{question}")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "y"

# SPDX-License-Identifier: MIT
"""Import msgspec without typing_extensions; the command and the supervisor do that first.

Why: msgspec takes three names from typing_extensions if it is installed, and from typing
otherwise, where they are since Python 3.11. But typing_extensions imports inspect, and both
together take a fifth of the time of `run`.

Rules: only for a process with one thread, since another thread could miss the module meanwhile.
"""

from __future__ import annotations

import importlib
import sys

_UNNEEDED = "typing_extensions"


def import_msgspec() -> None:
    """Import msgspec; afterwards everybody can import typing_extensions."""
    if _UNNEEDED in sys.modules or "msgspec" in sys.modules:
        return
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    modules[_UNNEEDED] = None  # Python's way to say that it is not installed
    try:
        importlib.import_module("msgspec")
    finally:
        del modules[_UNNEEDED]

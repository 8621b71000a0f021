# SPDX-License-Identifier: MIT
"""The engine of a command, imported on demand: help and completion do not need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.engine import Engine


def open_engine() -> Engine:
    """Return the engine on the user's store."""
    from sandbox.engine import Engine

    return Engine()

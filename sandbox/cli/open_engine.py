# SPDX-License-Identifier: MIT
"""The engine of a command, imported on demand: help and completion do not need it.

Does not know: what the kernel's fence is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.cli.stdio import tell

if TYPE_CHECKING:
    from sandbox.engine import Engine


def open_engine() -> Engine:
    """Return the engine on the user's store."""
    from sandbox.engine import Engine

    return Engine()


def open_to_start() -> Engine:
    """Return the engine, to start containers; warn if the kernel's fence does not stand.

    The warning is given once for each store.
    """
    from sandbox.runtime.confinement import first_warning

    engine = open_engine()
    text = first_warning(engine.layout, os.environ)
    if text:
        tell(f"sandbox: warning: {text}")
    return engine

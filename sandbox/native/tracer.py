# SPDX-License-Identifier: MIT
"""The tracer of csrc/hosted/tracer.c.

Does not know: which process becomes one, or when.
"""

from __future__ import annotations

import os
from typing import NoReturn

from sandbox.errors import NativeError
from sandbox.native._native import lib


def serve(control_path: str, guest: str, ready: int) -> NoReturn:
    """Redirect the container's system calls until this process is killed.

    One zero byte is written to *ready* once that has begun.
    """
    result = lib.sb_tracer_serve(os.fsencode(control_path), os.fsencode(guest), ready)
    raise NativeError(-result, "cannot trace")

# SPDX-License-Identifier: MIT
"""The ptrace tracer of csrc/hosted/tracer.c.

Must not know: which process becomes the tracer, and when.
"""

from __future__ import annotations

import os
from typing import NoReturn

from sandbox.errors import NativeError
from sandbox.native._native import lib
from sandbox.native.process_table import mark_of


def serve(control_path: str, guest: str, ready: int) -> NoReturn:
    """Handle the container's system calls until this process is killed.

    Writes one zero byte to *ready* when it has begun. Raises NativeError.
    """
    mark = mark_of(os.path.dirname(control_path))
    result = lib.sb_tracer_serve(os.fsencode(control_path), os.fsencode(guest), mark, ready)
    raise NativeError(-result, "cannot trace")

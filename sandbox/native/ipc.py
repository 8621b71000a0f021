# SPDX-License-Identifier: MIT
"""System V objects of containers, by the prefix of their keys.

How it works: csrc/hosted/hosted_ipc.c asks the kernel for every object of the machine. Each
object of a container has a key whose upper 20 bits are the container's prefix.

Must not know: which container has which prefix.
"""

from __future__ import annotations

import os

from sandbox.errors import NativeError
from sandbox.native._native import ffi, lib

FIRST_PREFIX = 1 << 19
"""Keys from here on are negative, which few programs use."""
PREFIXES = 1 << 19


def count(prefix: int) -> int:
    """Return how many objects have keys with this prefix, whoever owns them."""
    result: int = lib.sb_hosted_ipc_count(prefix)
    return result


def remove(prefix: int) -> int:
    """Remove this user's objects with this prefix; return how many there were."""
    result: int = lib.sb_hosted_ipc_remove(prefix)
    return result


def make_table(path: str) -> None:
    """Make an empty table of objects, which guests map. Raises NativeError."""
    result = lib.sb_hosted_ipc_make(ffi.new("char[]", os.fsencode(path)))
    if result < 0:
        raise NativeError(-result, f"cannot make {path}")

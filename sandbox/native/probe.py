# SPDX-License-Identifier: MIT
"""What this machine lets an unprivileged process do, tried out.

Does not know: what follows from it.
"""

from __future__ import annotations

import os

from sandbox.models.record import Record
from sandbox.native._native import ffi, lib


class Probe(Record, frozen=True):
    """Errno of what stands in the way, 0 where nothing does.

    *landlock* is the newest version of Landlock, 0 if there is none.
    """

    filter: int
    trap: int
    ptrace: int
    address: int
    exec_memory: int
    landlock: int


def probe() -> Probe:
    """Try everything; takes a few milliseconds."""
    found = ffi.new("struct sb_probe *")
    lib.sb_probe(found)
    return Probe(
        filter=found.filter,
        trap=found.trap,
        ptrace=found.ptrace,
        address=found.address,
        exec_memory=found.exec_memory,
        landlock=max(found.landlock, 0),
    )


def has_birth_times(path: str) -> bool:
    """Tell whether the file system of *path* knows when a file was made."""
    return bool(lib.sb_probe_birth_time(os.fsencode(path)) == 1)

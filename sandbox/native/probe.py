# SPDX-License-Identifier: MIT
"""Tests which system calls and features this host allows an unprivileged process.

Must not know: how the results are used.
"""

from __future__ import annotations

import os

from sandbox.models.record import Record
from sandbox.native._native import ffi, lib


class Probe(Record, frozen=True):
    """The results: 0 if a feature works, else the errno of the failure.

    *landlock* is the ABI version of Landlock, 0 if it is not available.
    """

    filter: int
    trap: int
    ptrace: int
    address: int
    exec_memory: int
    landlock: int


def probe() -> Probe:
    """Run all tests; takes a few milliseconds."""
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


def landlock() -> int:
    """Return the newest ABI of Landlock here, or the negative errno; takes a microsecond."""
    found: int = lib.sb_probe_landlock()
    return found


def has_birth_times(path: str) -> bool:
    """Return whether the file system of *path* records creation times."""
    return bool(lib.sb_probe_birth_time(os.fsencode(path)) == 1)

# SPDX-License-Identifier: MIT
"""The process table in a container's control file.

Rules: the process of a row may have ended, and its pid may belong to another process. Rows have
the time of their creation to detect this.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import NativeError
from sandbox.native._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW_PIDS = 512
_MAX_PIDS = 32768


def processes(control_path: str) -> list[int]:
    """Return the pids of the container's running processes. Raises NativeError."""
    rows = _rows(control_path, _FEW_PIDS)
    if len(rows) == _FEW_PIDS:
        rows = _rows(control_path, _MAX_PIDS)
    return [pid for pid, started in rows if _is_same(pid, started)]


def _rows(control_path: str, room: int) -> list[tuple[int, int]]:
    """Return pids with the time of their rows in ns since boot, at most *room* of them."""
    pids = ffi.new("uint32_t[]", room)
    started = ffi.new("uint64_t[]", room)
    count = lib.sb_hosted_processes(os.fsencode(control_path), pids, started, room)
    if count < 0:
        raise NativeError(-count, f"cannot read {control_path}")
    return [(pids[i], started[i]) for i in range(count)]


def end(control_path: str) -> None:
    """Make the container refuse new processes."""
    _check(lib.sb_hosted_end(os.fsencode(control_path)), control_path)


def limit_pids(control_path: str, limit: int) -> None:
    """Set the maximum number of tasks. It must not change from or to 0 (no limit) later."""
    result = lib.sb_hosted_limit_pids(os.fsencode(control_path), min(limit, lib.SB_MAX_PIDS))
    _check(result, control_path)


def pace(control_path: str, pids: Sequence[int], *, stopped: bool) -> None:
    """Mark processes as stopped or continued from outside, which hides this from guests."""
    mark = lib.SB_PACED_STOPPED if stopped else lib.SB_PACED_CONTINUED
    listed = ffi.new("uint32_t[]", list(pids))
    _check(lib.sb_hosted_pace(os.fsencode(control_path), listed, len(pids), mark), control_path)


def _check(result: int, path: str) -> None:
    if result < 0:
        raise NativeError(-result, f"cannot write {path}")


def _is_same(pid: int, seen_ns: int) -> bool:
    """Return whether the process with that pid was already running at that time."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return False
    if fields[0] in (b"Z", b"X"):
        return False
    tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return int(fields[19]) * tick_ns <= seen_ns + tick_ns

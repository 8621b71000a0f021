# SPDX-License-Identifier: MIT
"""Trees that were removed and are deleted behind the command that removed them.

How it works: a command renames a tree into tmp/, which is the removal, and starts `sweeper` in a
process of its own. One process of a store sweeps; it ends when no such tree is left. After a crash
the next removal that takes long, or a prune, sweeps the rest.

Rules: the tree is renamed before the sweeper's lock is tried, and the sweeper looks again after it
gave the lock back. So each tree has somebody who sees it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import StoreError
from sandbox.store.lock import acquire, open_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.store.layout import Layout

_SWEEPER = "sandbox.store.sweeper"
_PREFIX = "trash-"


def new_place(layout: Layout) -> Path:
    """Return a path in tmp/ to rename a tree to."""
    return layout.tmp / f"{_PREFIX}{os.urandom(8).hex()}"


def waiting(layout: Layout) -> list[Path]:
    """Return the trees that were removed and are not deleted yet."""
    try:
        names = os.listdir(layout.tmp)
    except OSError:
        return []
    return [layout.tmp / name for name in sorted(names) if name.startswith(_PREFIX)]


def sweep_behind(layout: Layout) -> None:
    """Have the trees deleted, unless a process does that already."""
    with suppress(OSError, StoreError):  # a later removal sweeps
        lock = take_lock(layout)
        if lock is None:
            return
        os.close(lock)
        _start_sweeper(layout, os.environ)


def take_lock(layout: Layout) -> int | None:
    """Return the descriptor that keeps the sweeper's lock; None if another process has it."""
    lock = open_lock(layout.sweep_lock)
    if acquire(lock, wait=False):
        return lock
    os.close(lock)
    return None


def _start_sweeper(layout: Layout, environ: Mapping[str, str]) -> None:
    program = [sys.executable, "-SsP", "-m", _SWEEPER, os.fspath(layout.root)]
    env = {**environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    pid = os.posix_spawn(sys.executable, program, env, file_actions=null)
    with suppress(ChildProcessError):  # somebody else waits for all children
        os.waitpid(pid, 0)  # it forks into the background at once

# SPDX-License-Identifier: MIT
"""Containers whose records are damaged: found, told of, made whole or removed.

How it works: a state is lost easily, and its supervisor, if it lives, writes it again.
Without a configuration nobody knows the container's name; it goes by its id, and can
only be removed.

Rules: nothing that runs is taken for ended, nothing else is touched.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import ContainerNotFound, SandboxError
from sandbox.models.container import ContainerState
from sandbox.models.timestamps import now

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.models.container import Container
    from sandbox.store.containers import ContainerStore

_PATIENCE = 3.0
LOST = "the record of its state was damaged"


def recover(store: ContainerStore, container: Container) -> Container | None:
    """Find out how a container fares whose state cannot be read; None if it is gone."""
    from sandbox.runtime import attach, rundir

    identity = container.config.id
    for place in rundir.remains(identity, os.environ) if store.is_held(container) else ():
        with suppress(SandboxError):
            attach.ask(place.socket, {"verb": "update"}, seconds=_PATIENCE)
    try:
        fresh = store.read(identity)
        if fresh.state.status != "dead" or store.is_held(fresh):
            return fresh
        end_processes(identity)
        state = ContainerState("exited", exit_code=137, finished_at=now(), error=LOST)
        return store.write_state(container, state)
    except ContainerNotFound:
        return None


def end_processes(identity: str) -> None:
    """Kill what is left of a container, and remove its run directory."""
    from sandbox.runtime import rundir
    from sandbox.runtime.process.kill import kill_guests

    for place in rundir.remains(identity, os.environ):
        kill_guests(place.path)
        rundir.remove(place.path)
        rundir.remove(place.socket)


def end_holder(lock_file: Path) -> None:
    """Kill whoever holds the lock of a container: its supervisor."""
    deadline = time.monotonic() + _PATIENCE
    while (pid := _holder(lock_file)) and time.monotonic() < deadline:
        if pid != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _holder(lock_file: Path) -> int:
    """Return the pid of the process that locked the file, 0 if there is none."""
    try:
        wanted = os.stat(lock_file)
        with open("/proc/locks", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return 0
    for row in rows:
        # 1: FLOCK ADVISORY WRITE 123 00:2f:456 0 EOF; who waits has an arrow
        if "->" in row or len(row) < 6 or row[5].rpartition(":")[2] != str(wanted.st_ino):
            continue
        if _has_open(int(row[4]), wanted):
            return int(row[4])
    return 0


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.path.samestat(os.stat(f"/proc/{pid}/fd/{name}"), wanted):
                    return True
    return False

# SPDX-License-Identifier: MIT
"""Recover containers whose records are damaged, or end their processes.

How it works: a supervisor that is alive writes the state again. Without a supervisor the container
has ended. A container without a configuration has no name; it can only be removed, by its id.

Rules: a running container is never declared ended. Other processes are not touched.
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
    """Return a container with a damaged state in its true state; None if it was removed."""
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
    """Kill all processes of a container, and remove its run directory."""
    from sandbox.runtime import ipc, rundir
    from sandbox.runtime.process.kill import kill_guests

    for place in rundir.remains(identity, os.environ):
        kill_guests(place.path)
        rundir.remove(place.path)
        rundir.remove(place.socket)
        ipc.sweep(os.path.dirname(place.path))


def end_holder(lock_file: Path) -> None:
    """Kill the process that holds the lock of a container: its supervisor."""
    deadline = time.monotonic() + _PATIENCE
    while (pid := _holder(lock_file)) and time.monotonic() < deadline:
        if pid != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _holder(lock_file: Path) -> int:
    """Return the pid of the process that holds the lock, or 0."""
    try:
        wanted = os.stat(lock_file)
        with open("/proc/locks", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return 0
    for row in rows:
        # 1: FLOCK ADVISORY WRITE 123 00:2f:456 0 EOF; lines of waiting processes have "->"
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

# SPDX-License-Identifier: MIT
"""A small server in a container, its state, its System V objects, and what is left at its end."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import signal
from typing import TYPE_CHECKING, Any

from tests.harness.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.command import Sandbox

# Prints `up` when its traps are set, then waits for signals. It has no child that could stay.
SERVER = "trap 'echo bye; exit 7' TERM; trap 'echo hup' HUP; echo up; while :; do read x; done"


def server(engine: Sandbox, name: str = "srv", *flags: str, script: str = SERVER) -> None:
    """Start a container that waits for signals; return when it is ready."""
    engine.ok("run", "-di", "--name", name, *flags, "host", "sh", "-c", script)
    until(lambda: "up\n" in engine.ok("logs", name))


def state(engine: Sandbox, name: str = "srv") -> dict[str, Any]:
    """Return the state as `inspect` shows it."""
    shown: dict[str, Any] = json.loads(engine.ok("inspect", name))[0]["State"]
    return shown


def record(engine: Sandbox, name: str = "srv") -> dict[str, Any]:
    """Return the state as the store holds it."""
    identity = engine.ok("inspect", "-f", "{{.Id}}", name).strip()
    path = engine.store / "containers" / identity / "state.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def murder(engine: Sandbox, name: str = "srv") -> None:
    """Kill the supervisor and the main process, and wait until both are gone."""
    stored = record(engine, name)
    pids = stored["keeper"], stored["pid"]
    assert all(pids), f"{name} does not run"
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # the main process dies with its supervisor
            os.kill(pid, signal.SIGKILL)
    until(lambda: all(map(is_gone, pids)))


def is_gone(pid: int) -> bool:
    """Tell whether the process has ended; a zombie has."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def processes(word: str) -> list[str]:
    """Return the pids of the processes with *word* among their arguments."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found


def is_stopped(pid: int) -> bool:
    """Tell whether a signal has stopped the process."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


# ---- System V objects of this user ----------------------------------------------------

_LIBC = ctypes.CDLL(None, use_errno=True)
_IPC_CREAT = 0o1000
_IPC_RMID = 0
_IDS = {"shm": "shmid", "sem": "semid", "msg": "msqid"}


def sysv_objects() -> set[tuple[str, int, int]]:
    """Return the kind, key and id of each object that this user made."""
    found = set()
    for kind, column in _IDS.items():
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            names = file.readline().split()
            for line in file:
                row = dict(zip(names, line.split(), strict=True))
                if int(row["cuid"]) == os.getuid():
                    found.add((kind, int(row["key"]), int(row[column])))
    return found


def sysv_prefix(run_dir: str) -> int:
    """Return the upper bits of the keys of a running container's objects."""
    return int(os.readlink(f"{run_dir}/ipc").rpartition("-")[2], 16)


def sysv_count(prefix: int) -> int:
    """Return how many objects have keys with these upper bits."""
    return sum((key & 0xFFFFFFFF) >> 12 == prefix for _, key, _ in sysv_objects())


@contextlib.contextmanager
def sysv_segment(key: int = 0) -> Iterator[int]:
    """Give the id of a shared memory segment, which must still exist at the end."""
    number = _LIBC.shmget(ctypes.c_int(key), ctypes.c_size_t(100), _IPC_CREAT | 0o600)
    assert number >= 0, os.strerror(ctypes.get_errno())
    try:
        yield number
        assert number in {item[2] for item in sysv_objects() if item[0] == "shm"}
    finally:
        _LIBC.shmctl(number, _IPC_RMID, None)

# SPDX-License-Identifier: MIT
"""A small server in a container, its state, and what is left after its end."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
from typing import TYPE_CHECKING, Any

from tests.harness.polling import until

if TYPE_CHECKING:
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

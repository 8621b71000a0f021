# SPDX-License-Identifier: MIT
"""``top`` and ``stats``: the processes of a container, and what they use."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, RuntimeFailed, SandboxError
from sandbox.models.record import Record, replace
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container

_TICKS = os.sysconf("SC_CLK_TCK")


class Sample(Record, frozen=True):
    """What the processes of a container use at one moment.

    *moment* is seconds of the monotonic clock, *cpu* seconds of CPU time since the start.
    *memory*, *read* and *written* are bytes.
    """

    moment: float
    cpu: float = 0.0
    memory: int = 0
    read: int = 0
    written: int = 0
    pids: int = 0


def processes(container: Container) -> list[int]:
    """Return the pids of a running container."""
    from sandbox.native import core
    from sandbox.runtime.rundir import RunDir

    if container.state.status not in ("running", "paused"):
        raise Conflict(f"container {container.config.id} is not running")
    return core.processes(RunDir(container.state.run_dir).control)


def top(
    states: ContainerStates, name: str, options: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of ps for the container's processes."""
    import subprocess

    container = states.find(name)
    pids = {str(pid) for pid in processes(container)}
    events.tell_container(states.layout, container.config, "top")
    try:
        done = subprocess.run(
            ["ps", *(options or ("-ef",))], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise RuntimeFailed("ps is not installed on this machine") from None
    if done.returncode != 0:
        raise RuntimeFailed(f"ps: {done.stderr.strip()}")
    return select_rows(done.stdout, pids)


def select_rows(text: str, pids: set[str]) -> tuple[list[str], list[list[str]]]:
    r"""Return the headings of what ps printed, and the rows of these processes.

    >>> select_rows("PID CMD\n 1 init\n 7 sh -c x\n", {"7"})
    (['PID', 'CMD'], [['7', 'sh -c x']])
    """
    lines = text.splitlines()
    headings = lines[0].split() if lines else []
    if "PID" not in headings:
        raise SandboxError("couldn't find PID field in ps output")
    column = headings.index("PID")
    rows = [line.split(None, len(headings) - 1) for line in lines[1:]]
    return headings, [row for row in rows if row[column] in pids]


def stats(container: Container) -> Sample:
    """Return what a running container uses now; a cgroup knows more than the processes."""
    from sandbox.runtime.limits import cgroups

    found, use = _sample(processes(container)), cgroups.use_of(container.state.run_dir)
    return replace(
        found,
        cpu=found.cpu if use.cpu is None else use.cpu,
        memory=found.memory if use.memory is None else use.memory,
        pids=found.pids if use.tasks is None else use.tasks,
    )


def _sample(pids: list[int]) -> Sample:
    from sandbox.runtime.limits.usage import resident_bytes

    cpu, read, written = 0.0, 0, 0
    for pid in pids:
        for used_cpu, used_read, used_written in _of_process(pid):
            cpu, read, written = cpu + used_cpu, read + used_read, written + used_written
    return Sample(time.monotonic(), cpu, resident_bytes(pids), read, written, len(pids))


def _of_process(pid: int) -> Iterator[tuple[float, int, int]]:
    """Yield (CPU seconds, bytes read, bytes written) if the process is there."""
    with suppress(OSError, IndexError, ValueError):
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / _TICKS
        traffic = {b"read_bytes": 0, b"write_bytes": 0}
        with suppress(OSError), open(f"/proc/{pid}/io", "rb") as file:
            traffic |= {
                key: int(value)
                for key, _, value in (line.partition(b":") for line in file)
                if key in traffic
            }
        yield cpu, traffic[b"read_bytes"], traffic[b"write_bytes"]

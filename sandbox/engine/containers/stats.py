# SPDX-License-Identifier: MIT
"""``stats``: what the processes of a container use."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.engine.containers.top import processes
from sandbox.models.record import Record, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.models.container import Container

_TICKS = os.sysconf("SC_CLK_TCK")


class Sample(Record, frozen=True):
    """What the processes of a container use at one moment.

    *moment* is in seconds of the monotonic clock, *cpu* in seconds of CPU time since the start.
    *memory*, *read* and *written* are in bytes.
    """

    moment: float
    cpu: float = 0.0
    memory: int = 0
    read: int = 0
    written: int = 0
    pids: int = 0


def stats(container: Container) -> Sample:
    """Return what a running container uses now, from its cgroup or from its processes."""
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
    """Yield (CPU seconds, bytes read, bytes written) if the process exists."""
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

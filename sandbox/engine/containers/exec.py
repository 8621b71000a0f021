# SPDX-License-Identifier: MIT
"""What goes on in a running container: exec, top, stats."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, Detached, RuntimeFailed, SandboxError
from sandbox.models.record import Record, replace
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.engine.containers import ContainerVerbs
    from sandbox.models.container import Container
    from sandbox.runtime.exec.exec_process import ExecRequest

    _Base = ContainerVerbs
else:
    _Base = object

_TICKS = os.sysconf("SC_CLK_TCK")


class Sample(Record, frozen=True):
    """What the processes of a container use at one moment; bytes and seconds."""

    moment: float
    cpu: float = 0.0
    memory: int = 0
    read: int = 0
    written: int = 0
    pids: int = 0


class ExecutingVerbs(_Base):
    """The part of `Engine` that is about processes."""

    def execute(
        self,
        name: str,
        request: ExecRequest,
        *,
        detach: bool = False,
        keys: bytes = b"",
        warn: Callable[[str], None] = lambda _: None,
    ) -> int:
        """Run one more process in a container and return its exit code.

        Raises `Detached` when the user types *keys* on its terminal: it goes on. Calls *warn*
        if it cannot be held to the container's limits.
        """
        from sandbox.engine.holding import APART
        from sandbox.runtime.exec import exec_process
        from sandbox.runtime.limits import cgroups

        container = self.active_container(name)
        state = container.state
        if cgroups.is_out_of_reach(state.run_dir):
            warn(APART)
        identity = os.urandom(32).hex()
        for what in ("create", "start"):
            self.tell_exec(container, identity, what, request.args)

        def ended(code: int) -> None:
            self.tell_exec_end(container, identity, code)

        if detach:
            exec_process.leave(container.config, state.run_dir, request, ended)
            return 0
        try:
            return exec_process.run(
                container.config, state.run_dir, request, keys=keys, on_end=ended
            )
        except Detached:
            self.tell_exec_left(container, identity)
            raise

    def active_container(self, name: str) -> Container:
        """Return a container in which processes can be started."""
        container = self.container(name)
        self._must_be_active(container)
        return container

    def tell_exec(self, container: Container, exec_id: str, what: str, args: Sequence[str]) -> None:
        """Append the event that an exec was created or started."""
        action = f"exec_{what}: {' '.join(args)}"
        events.tell_container(self.layout, container.config, action, execID=exec_id)

    def tell_exec_left(self, container: Container, exec_id: str) -> None:
        """Append the event that the user left an exec by the keys for it."""
        events.tell_container(self.layout, container.config, "exec_detach", execID=exec_id)

    def tell_exec_end(self, container: Container, exec_id: str, code: int) -> None:
        """Append the event that an exec has ended."""
        events.tell_container(
            self.layout, container.config, "exec_die", execID=exec_id, exitCode=str(code)
        )

    def _must_be_active(self, container: Container) -> None:
        status = container.state.status
        if status == "paused":
            raise Conflict(
                f"container {container.config.name} is paused, unpause the container before exec"
            )
        if status != "running":
            raise Conflict(f"container {container.config.id} is not running")

    def processes(self, name: str) -> list[int]:
        """Return the pids of a running container."""
        from sandbox.native import core
        from sandbox.runtime.rundir import RunDir

        container = self.container(name)
        if container.state.status not in ("running", "paused"):
            raise Conflict(f"container {container.config.id} is not running")
        return core.processes(RunDir(container.state.run_dir).control)

    def top(self, name: str, options: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
        """Return headings and rows of ps for the container's processes."""
        import subprocess

        container = self.container(name)
        pids = {str(pid) for pid in self.processes(container.config.id)}
        events.tell_container(self.layout, container.config, "top")
        try:
            done = subprocess.run(
                ["ps", *(options or ("-ef",))], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise RuntimeFailed("ps is not installed on this machine") from None
        if done.returncode != 0:
            raise RuntimeFailed(f"ps: {done.stderr.strip()}")
        lines = done.stdout.splitlines()
        headings = lines[0].split() if lines else []
        if "PID" not in headings:
            raise SandboxError("couldn't find PID field in ps output")
        column = headings.index("PID")
        rows = [line.split(None, len(headings) - 1) for line in lines[1:]]
        return headings, [row for row in rows if row[column] in pids]

    def sample(self, name: str) -> Sample:
        """Return what a container uses now."""
        from sandbox.runtime.limits import cgroups

        container = self.container(name)
        found, use = _sample(self.processes(name)), cgroups.use_of(container.state.run_dir)
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
        for spent, taken, given in _of_process(pid):
            cpu, read, written = cpu + spent, read + taken, written + given
    return Sample(time.monotonic(), cpu, resident_bytes(pids), read, written, len(pids))


def _of_process(pid: int) -> Iterator[tuple[float, int, int]]:
    """Yield (CPU seconds, bytes read, bytes written), if it is there."""
    with suppress(OSError, IndexError, ValueError):
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        spent = (int(fields[11]) + int(fields[12])) / _TICKS
        traffic = {b"read_bytes": 0, b"write_bytes": 0}
        with suppress(OSError), open(f"/proc/{pid}/io", "rb") as file:
            traffic |= {
                key: int(value)
                for key, _, value in (line.partition(b":") for line in file)
                if key in traffic
            }
        yield spent, traffic[b"read_bytes"], traffic[b"write_bytes"]

# SPDX-License-Identifier: MIT
"""Run one command of RUN in a container of the build.

How it works: like `runtime.launch`, but several may run at once in threads of one process.
Each waits only for its own main process and reads its own pipes.

Rules: on every way out no process of the command is left.

Does not know: layers, caches, the purpose of the command.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.builder.errors import Cancelled
from sandbox.errors import NativeError
from sandbox.models.closable import Closing
from sandbox.models.container import ContainerConfig
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.network import BUILD, HOST, NONE
from sandbox.native import core
from sandbox.runtime import launch, lifecycle, rundir
from sandbox.runtime.process import lookup
from sandbox.runtime.process.start import FirstProcess, Streams

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from sandbox.builder.workspace import Box
    from sandbox.models.container import MountPoint, Ulimit
    from sandbox.runtime.launch import Place

HOSTNAME = "buildkitsandbox"
_CHUNK = 65536
_TICK = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The command to run, with its identity, environment and network."""

    argv: tuple[str, ...]
    env: tuple[str, ...]
    user: str = ""
    workdir: str = "/"
    mounts: tuple[MountPoint, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    network: str = BUILD
    """default, host, none, or a network's id."""


def run(
    command: Command,
    box: Box,
    place: Place,
    *,
    output: Callable[[bytes, int], None],
    cancel: threading.Event,
) -> int:
    """Run a command in *box* and return its exit code."""
    config = ContainerConfig(
        id=box.id,
        name=f"build-{box.id[:12]}",
        created="",
        image="build",
        image_id="",
        entrypoint=command.argv,
        cmd=(),
        env=command.env,
        user=command.user,
        working_dir=command.workdir,
        hostname=HOSTNAME,
        mounts=command.mounts,
        ulimits=command.ulimits,
        network=_network(command),
    )
    with launch.live_tree(config, place) as run_dir:
        rundir.link_guest(run_dir, place.guest)
        main = FirstProcess(config, run_dir, lookup.prepare(config, run_dir.control))
        try:
            out, out_end = os.pipe2(os.O_CLOEXEC)
            err, err_end = os.pipe2(os.O_CLOEXEC)
            null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
            main.start(Streams(stdin=null, stdout=out_end, stderr=err_end), lambda _: None)
            with _Output({out: 1, err: 2}, output) as pipes:
                status = pipes.until_end(main.main.pid, cancel)
                _kill_rest(run_dir.control)
                pipes.drain()
        finally:
            _kill_rest(run_dir.control)
    if cancel.is_set():
        raise Cancelled("canceled")
    return lifecycle.exit_code_of(status)


def _network(command: Command) -> NetworkConfig:
    """Return the command's network: the machine's, none, or one with own addresses."""
    if command.network in (BUILD, HOST):
        return NetworkConfig(mode=command.network, extra_hosts=command.hosts)
    endpoints = () if command.network == NONE else (Endpoint(command.network),)
    return NetworkConfig(mode=command.network, endpoints=endpoints, extra_hosts=command.hosts)


class _Output(Closing):
    """The pipes of one command."""

    def __init__(self, streams: dict[int, int], output: Callable[[bytes, int], None]) -> None:
        self._streams = streams
        self._output = output
        self._selector = selectors.DefaultSelector()
        for fd in streams:
            os.set_blocking(fd, False)
            self._selector.register(fd, selectors.EVENT_READ)

    def close(self) -> None:
        """Close the pipes."""
        self._selector.close()
        for fd in self._streams:
            os.close(fd)

    def until_end(self, pid: int, cancel: threading.Event) -> int:
        """Forward output until the process has ended; return its wait status."""
        watch = -1
        with suppress(OSError):  # before Linux 5.3 the tick must do
            watch = os.pidfd_open(pid)
            self._selector.register(watch, selectors.EVENT_READ)
        try:
            while True:
                if cancel.is_set():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                for key, _ in self._selector.select(_TICK):
                    if key.fd != watch:
                        self._read(key.fd)
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    return status
        finally:
            if watch >= 0:
                self._selector.unregister(watch)
                os.close(watch)

    def drain(self) -> None:
        """Forward the remaining output; every writer is dead."""
        for fd in self._streams:
            while self._read(fd):
                pass

    def _read(self, fd: int) -> bool:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            with suppress(KeyError):
                self._selector.unregister(fd)
            return False
        self._output(data, self._streams[fd])
        return True


def _kill_rest(control: str) -> None:
    """Kill the processes that the command left behind, and wait until they are gone."""
    deadline = time.monotonic() + 20
    with suppress(NativeError):  # the command can damage the file
        core.end(control)
    while time.monotonic() < deadline:
        pids = core.processes(control, with_keeper=True)
        if not pids:
            return
        for pid in pids:
            core.signal_process(control, pid, signal.SIGKILL)
        for pid in pids:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.002)

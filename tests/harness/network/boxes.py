# SPDX-License-Identifier: MIT
"""Containers on networks, made of the C core alone: no store, no engine, no command line.

A `Net` is a directory of network files, with a pool of loopback addresses for this process. A
`Box` is a container on it with the machine's own tree. Both are for tests of the C core's
handling of socket addresses.

Does not know: how the engine chooses addresses.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from sandbox.models.record import replace
from sandbox.native import core
from sandbox.native.network import (
    Endpoint,
    Interface,
    NetworkState,
    NetworkTable,
    Protocol,
    Published,
)
from sandbox.runtime import interceptor, mounts, rundir, tracer
from tests.harness.oracle import ENVIRONMENT, Seen, seen


def pool(number: int) -> str:
    """Return the first three bytes of a network that other test processes do not use."""
    return f"127.{100 + os.getpid() % 100}.{(os.getpid() // 100 * 7 + number) % 256}"


@dataclass(frozen=True)
class Box:
    """One container."""

    number: int
    address: str
    run_dir: rundir.RunDir

    def start(
        self, command: Sequence[str | os.PathLike[str]], *, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a program as root of the container."""
        words = [os.fspath(word) for word in command]
        request = core.EntryRequest(path=words[0], cwd="/")
        number = core.post_entry(self.run_dir.control, request)
        link = self.run_dir.enter(number)
        os.symlink(core.guest_path(), link)
        return subprocess.Popen(
            words,
            executable=link,
            env=dict(ENVIRONMENT),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep a first process: a container ends with it, and all that joined are killed."""
        with self.start(["/bin/sh", "-c", "echo up; exec sleep 1000"]) as first:
            try:
                assert first.stdout is not None
                assert first.stdout.readline() == b"up\n"
                yield
            finally:
                first.kill()

    def run(self, command: Sequence[str | os.PathLike[str]], *, timeout: float = 200) -> Seen:
        """Run a program to its end."""
        with self.start(command) as process:
            try:
                output, errors = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return seen(subprocess.CompletedProcess(command, process.returncode, output, errors))


@dataclass(frozen=True)
class Net:
    """A user's network files."""

    root: pathlib.Path

    @property
    def directory(self) -> str:
        return os.fspath(self.root / "net")

    def add_network(self, number: int) -> None:
        """Make a network, with its gateway."""
        with NetworkTable.locked(self.directory) as table:
            table.add_endpoint(Endpoint(f"{pool(number)}.1", number, 0))

    @contextmanager
    def box(
        self,
        *places: tuple[int, int],
        state: NetworkState | None = None,
        published: Mapping[tuple[Protocol, int], tuple[str, int]] | None = None,
        log: str | None = None,
        trace: bool = False,
        way: str = "trap",
    ) -> Iterator[Box]:
        """Give a container with an address at each (network, last byte); with none, on loopback."""
        interfaces = [
            Interface(f"{pool(net)}.{last}", net, 24, f"{pool(net)}.1") for net, last in places
        ]
        address = interfaces[0].address if interfaces else f"{pool(99)}.{os.getpid() % 200 + 2}"
        state = state or NetworkState(address, egress="free" if places else "none")
        state = replace(state, address=address, interfaces=interfaces)
        with NetworkTable.locked(self.directory) as table:
            number = table.take(f"{len(table.containers()):064x}", state)
            for one in interfaces:
                table.add_endpoint(Endpoint(one.address, one.network, number))
            for (protocol, port), (host, host_port) in (published or {}).items():
                table.publish(Published(number, protocol, port, host, host_port))
        try:
            box = self._make(number, address, log, interceptor.choose(way, os.environ), trace=trace)
            traced = way == "ptrace"
            control = box.run_dir.control
            tracing = tracer.serving(control, core.guest_path()) if traced else nullcontext()
            with tracing, box.held():
                yield box
        finally:
            with NetworkTable.locked(self.directory) as table:
                table.release(number)

    def _make(
        self, number: int, address: str, log: str | None, way: interceptor.Choice, *, trace: bool
    ) -> Box:
        folder = self.root / f"box{number}"
        for name in ("upper", "run", "run/dev", "run/shm"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        run_dir = rundir.RunDir(os.fspath(folder / "run"))
        rundir.link_guest(run_dir, core.guest_path())
        if trace:
            pathlib.Path(run_dir.trace).touch()
        rows = [
            row
            for row in mounts.system_rows(dev_dir=run_dir.dev, shm_dir=run_dir.shm)
            if row.kind is mounts.Kind.LINK or os.path.exists(row.host)
        ]
        core.create_control(
            run_dir.control,
            core.ControlSpec(
                run_dir=run_dir.path,
                store_root=os.fspath(folder),
                upper_dir=os.fspath(folder / "upper"),
                owners_path=os.fspath(folder / "owners"),
                index_path=None,
                hostname="box",
                host_uid=os.getuid(),
                host_gid=os.getgid(),
                mounts=[core.Mount(r.kind.value, r.target, r.host, r.read_only) for r in rows],
                rewrite=way.rewrite,
                traced=way.traced,
                steps=way.steps,
                trace=trace,
                net_dir=self.directory,
                net_container=number,
                net_log=log,
            ),
        )
        return Box(number, address, run_dir)

# SPDX-License-Identifier: MIT
"""Start the main process of a container: fork, attach, execute, relay, wait.

Rules: no look-up and no import happens between fork and exec. The process gets its own
session, default signals, and no descriptor but 0, 1 and 2.

Does not know: what the guest runtime does after the exec.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed
from sandbox.models.record import Record
from sandbox.native import core
from sandbox.runtime import lifecycle, rundir
from sandbox.runtime.limits import cgroups
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.models.container import ContainerConfig
    from sandbox.runtime.process.lookup import Entry
    from sandbox.runtime.rundir import RunDir


class Attachment(Record, frozen=True):
    """How the main process is attached to the user.

    *view* holds options for showing the trace; None: decode it if that is possible.
    """

    stdin: bool = False
    trace: bool = False
    view: tuple[str, ...] | None = None


class Streams(Record, frozen=True):
    """The new process's descriptors 0, 1 and 2; None inherits the caller's.

    A *terminal* becomes all three, and the controlling terminal. The process dies with the
    caller unless it is *free*.
    """

    stdin: int | None = None
    stdout: int | None = None
    stderr: int | None = None
    terminal: int | None = None
    free: bool = False


class FirstProcess:
    """The main process, from the fork to its end."""

    def __init__(self, config: ContainerConfig, run_dir: RunDir, entry: Entry) -> None:
        """Remember what to execute."""
        self._config = config
        self._run_dir = run_dir
        self._entry = entry
        self.main = reaper.MainProcess()

    def run(
        self,
        attachment: Attachment,
        on_start: Callable[[lifecycle.MainProcess], None],
        *,
        free: bool = False,
    ) -> int:
        """Start the process, relay until it ends, and return its wait status.

        A *free* process without a terminal continues when this process is killed.
        """
        reaper.adopt_orphans()
        with reaper.proxied_signals(self.main):
            if self._config.tty:
                self._run_on_terminal(attachment, on_start)
            else:
                stdin = None if attachment.stdin else os.open("/dev/null", os.O_RDWR)
                self.start(Streams(stdin=stdin, free=free), on_start)
                self.main.reap(block=True)
        assert self.main.status is not None
        return self.main.status

    def _run_on_terminal(
        self, attachment: Attachment, on_start: Callable[[lifecycle.MainProcess], None]
    ) -> None:
        from sandbox.runtime import terminal

        keyboard = 0 if attachment.stdin else None
        like = terminal.users_own()
        pty = terminal.open_pty(like)

        def resized() -> None:
            if like is not None:
                terminal.copy_size(like, pty.master)

        with ExitStack() as stack:
            wake = stack.enter_context(reaper.woken_by_children(resized))
            if keyboard is not None:
                stack.enter_context(terminal.raw_mode(keyboard))
            self.start(Streams(terminal=pty.slave), on_start)
            terminal.relay(
                pty.master,
                keyboard=keyboard,
                screen=1,
                wake=wake,
                has_ended=lambda: self._has_ended(wake),
            )
        os.close(pty.master)

    def _has_ended(self, wake: int) -> bool:
        from sandbox.runtime import terminal

        terminal.drain(wake)
        return self.main.has_ended()

    def start(self, streams: Streams, on_start: Callable[[lifecycle.MainProcess], None]) -> None:
        """Start the process; the descriptors of *streams* are closed here."""
        # Look-ups and imports happen here, because after the fork only the exec follows.
        program = rundir.link_entry(self._run_dir, self._entry.number)
        group = cgroups.entrance(self._run_dir.path)
        kept = cgroups.controllers_of(self._run_dir.path) if group else frozenset()
        reader, report = os.pipe2(os.O_CLOEXEC)
        go, release = os.pipe2(os.O_CLOEXEC)
        birth = _Birth(
            program=program,
            argv=[os.fsencode(arg) for arg in self._entry.argv],
            env=dict(_split_env(entry) for entry in self._entry.env),
            limits=_numeric_limits(self._config),
            mark=core.mark_of(self._run_dir.path),
            cpus=_cpus(self._config.policy.cpuset) if "cpuset" not in kept else frozenset(),
            streams=streams,
            go=go,
            release=release,
            report=report,
            parent=os.getpid(),
        )
        sys.stdout.flush()
        with reaper.signals_held():
            pid = os.fork()
            if pid == 0:
                _become(birth)
            started = reaper.start_time_of(pid)
            self.main.born(pid)
        given = (streams.stdin, streams.stdout, streams.stderr, streams.terminal)
        for fd in {go, report, *(item for item in given if item is not None)}:
            os.close(fd)
        # Recorded before the program's first instruction, so that the record is right whatever
        # is killed now. The child ends if it is never released.
        with open(release, "wb", buffering=0) as gate, open(reader, "rb") as answer:
            if group is not None:
                cgroups.enter(group, pid)
            run_dir = self._run_dir
            fence = (run_dir.landlock, run_dir.seccomp)
            if self._entry.main:
                core.name_main(run_dir.control, pid)
            on_start(lifecycle.MainProcess(pid, started or 0, run_dir.path, *fence))
            with suppress(BrokenPipeError):
                gate.write(b".")
            problem = answer.read()
        if problem:
            # Wait for this child alone: other code waits for the others.
            with suppress(ChildProcessError):
                _, self.main.status = os.waitpid(pid, 0)
            raise RuntimeFailed(f"cannot start the container: {problem.decode()}")


class _Birth(Record, frozen=True):
    """The child's settings, decided before the fork."""

    program: str
    argv: list[bytes]
    env: dict[bytes, bytes]
    limits: list[tuple[int, tuple[int, int]]]
    mark: int
    cpus: frozenset[int]
    streams: Streams
    go: int
    release: int
    report: int
    parent: int


def _split_env(entry: str) -> tuple[bytes, bytes]:
    name, _, value = os.fsencode(entry).partition(b"=")
    return name, value


def _numeric_limits(config: ContainerConfig) -> list[tuple[int, tuple[int, int]]]:
    """Return the arguments of setrlimit; refuse limits that this user may not set."""
    import resource

    found = []
    for limit in config.ulimits:
        if limit.name == "locks":
            # Python has no name for RLIMIT_LOCKS. Its hard limit is the mark of the container.
            number = core.MARK_RESOURCE
            found.append((number, (limit.soft, resource.getrlimit(number)[1])))
            continue
        number = getattr(resource, f"RLIMIT_{limit.name.upper()}")
        ceiling = resource.getrlimit(number)[1]
        if ceiling != -1 and not 0 <= limit.hard <= ceiling and os.geteuid() != 0:
            raise RuntimeFailed(
                f"--ulimit {limit.name}: {limit.hard} is more than the {ceiling} that this "
                "user may have"
            )
        found.append((number, (limit.soft, limit.hard)))
    return found


def _cpus(text: str) -> frozenset[int]:
    from sandbox.runtime.limits.usage import parse_cpus

    cpus = parse_cpus(text) if text else frozenset()
    if cpus - os.sched_getaffinity(0):
        raise RuntimeFailed(f"requested CPUs are not available: {text}")
    return cpus


def _become(birth: _Birth) -> None:
    """Turn the forked child into the container's main process."""
    report = birth.report
    try:
        os.close(birth.release)  # otherwise this child would never read end of file
        os.setsid()
        if not birth.streams.free:
            reaper.die_with_parent()
            if os.getppid() != birth.parent:
                os._exit(1)
        _take_descriptors(birth.streams)
        for limit, values in birth.limits:
            import resource

            resource.setrlimit(limit, values)
        core.take_mark(birth.mark)  # the process is found without it, too, but not as surely
        if birth.cpus:
            os.sched_setaffinity(0, birth.cpus)
        os.chdir("/")
        os.umask(0o022)
        if os.read(birth.go, 1) != b".":
            os._exit(1)
        report = os.dup2(birth.report, 3, inheritable=False)
        os.closerange(4, reaper.end_of_descriptors())
        reaper.reset_signals()
        os.execve(birth.program, birth.argv, birth.env)
    except (OSError, ValueError) as exc:
        os.write(report, str(exc).encode())
    finally:
        os._exit(125)


def _take_descriptors(streams: Streams) -> None:
    if streams.terminal is not None:
        from sandbox.runtime import terminal

        terminal.become_controlling(streams.terminal)
        for fd in (0, 1, 2):
            os.dup2(streams.terminal, fd)
        return
    for number, source in enumerate((streams.stdin, streams.stdout, streams.stderr)):
        if source is not None:
            os.dup2(source, number)

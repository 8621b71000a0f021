# SPDX-License-Identifier: MIT
"""The supervisor: a process that runs one detached container.

How it works: the engine executes this module with a plan and one end of a socket on
standard input. The module forks into the background, takes the container's lock, and runs
the container, again if its restart policy says so. Requests arrive on its socket (see
`requests` and docs/control-protocol.md).

Rules: it never waits for a client. It can be killed at any moment; other commands then find
that the container is dead.

Does not know: images, or the command line.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, RuntimeFailed, SandboxError
from sandbox.models.policy import Usage
from sandbox.models.record import replace
from sandbox.native import core
from sandbox.runtime import lifecycle, restart_policy, rundir
from sandbox.runtime.limits import cgroups, shown
from sandbox.runtime.process import reaper
from sandbox.runtime.supervisor import protocol
from sandbox.runtime.supervisor.container_record import ContainerRecord, now
from sandbox.runtime.supervisor.cpu_limit import CpuWatch
from sandbox.runtime.supervisor.event_loop import Session
from sandbox.runtime.supervisor.health import HealthWatch
from sandbox.runtime.supervisor.memory_limit import MemoryWatch
from sandbox.runtime.supervisor.name_watch import NameServerWatch
from sandbox.runtime.supervisor.requests import Requests
from sandbox.runtime.supervisor.spawn import Plan

if TYPE_CHECKING:
    from sandbox.runtime.supervisor.limit_watch import LimitWatch

_RECORD_PERIOD = 300.0


class Supervisor:
    """Runs a container as often as its restart policy demands."""

    def __init__(self, plan: Plan, connection: socket.socket) -> None:
        """Take the container's lock and listen; `Conflict` if it runs already."""
        self._plan = plan
        self.record = ContainerRecord(plan.root, plan.container_id)
        self._identity = (os.getpid(), reaper.start_time_of(os.getpid()) or 0)
        self._log = self.record.open_log()
        self._address = rundir.socket_path(plan.container_id, os.environ)
        self.session = Session(protocol.listen(self._address), self._log)
        self.session.size = plan.size
        self.requests = Requests(self.record, self.session, on_update=self._refresh)
        self._starter = self.session.clients.add(connection)
        self._starter.verb = "start"
        self._problem: SandboxError | None = None
        self._usage = Usage()
        self._watches: list[LimitWatch] = []
        self._names: NameServerWatch | None = None
        self._look_after_the_record()

    def _look_after_the_record(self) -> None:
        """End the container when its store was deleted."""
        if self.record.is_there:
            self.session.after(_RECORD_PERIOD, self._look_after_the_record)
            return
        self.record.stopped = True
        self.session.main.send(signal.SIGKILL)

    def live(self) -> None:
        """Run the container to its last end."""
        try:
            self._run_again_and_again()
        except SandboxError as exc:
            self._fail(exc)
        except OSError as exc:
            self._fail(RuntimeFailed(f"the supervisor failed: {exc}"))
        finally:
            self._depart()

    def _run_again_and_again(self) -> None:
        delay = 0.0
        while True:
            begun = time.monotonic()
            code = self._run()
            ran = time.monotonic() - begun
            if self.record.take_again():
                delay = 0.0
                continue
            if not self._wants_restart(code):
                state = self.record.container.state
                self.record.change(lifecycle.exited(state, code, now(), self._usage))
                return
            delay = restart_policy.next_delay(delay, ran)
            self.record.change(lifecycle.waiting(self.record.container.state, code, now()))
            self.requests.run_ended(code)
            self._rest(delay)
            if not self.record.take_again() and self.record.stopped:
                self.record.change(
                    lifecycle.exited(self.record.container.state, code, now(), self._usage)
                )
                return

    def _run(self) -> int:
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.record.stopped = False
        status = self.session.run(
            self.record.container.config,
            self._plan.place,
            on_start=self._on_start,
            after_start=self._after_start,
        )
        if self._names is not None:
            self._names.close()
        self._usage = _usage(before, time.monotonic() - begun)
        code = lifecycle.exit_code_of(status)
        if self.session.was_out_of_memory:
            self.record.tell("oom")
            self.record.change(replace(self.record.container.state, oom_killed=True))
        self.record.tell("die", exitCode=str(code))
        self.record.tell_resources(begin=False)
        if self.requests.is_stopping:
            self.record.tell("stop")
        return code

    def _on_start(self, process: lifecycle.MainProcess) -> None:
        state = self.record.container.state
        if state.status in ("running", "paused"):  # restarted by the user
            state = replace(lifecycle.waiting(state, 0, now()), restart_count=state.restart_count)
        state = lifecycle.started(state, process, now(), keeper=self._identity)
        self.record.start(state)

    def _after_start(self) -> None:
        self.record.tell_resources(begin=True)
        self.record.tell("start")
        if self._starter.verb == "start":
            self._starter.verb = "started"
            self._starter.say({"ok": True, "pid": self.record.container.state.pid})
            if self._plan.attach:
                self._starter.attached = True
                self._starter.gives_input = self._plan.stdin
            else:
                self._starter.end()
        self.requests.run_began()
        policy = self.record.container.config.policy
        self.session.on_tick = lambda: None
        if policy.health is not None and policy.health.argv:
            HealthWatch(self.record, self.session, policy.health)
        self._watches = [
            MemoryWatch(self.record, self.session),
            CpuWatch(self.record, self.session),
        ]
        if self.record.container.config.network.endpoints:
            self._names = NameServerWatch(self.session, self._plan.place.layout)

    def _wants_restart(self, code: int) -> bool:
        try:
            self._refresh()
        except SandboxError:
            return False  # removed meanwhile
        return restart_policy.wants_restart(
            self.record.container.config.policy,
            exit_code=code,
            count=self.record.container.state.restart_count,
            stopped=self.record.stopped,
        )

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.session.after(seconds, lambda: None)
        self.session.loop(
            lambda: self.record.stopped or self.record.again or time.monotonic() >= until
        )

    def _refresh(self) -> None:
        """Reload a changed name or policy."""
        before = self.record.container.config.policy
        self.record.reload()
        after = self.record.container.config.policy
        if self.session.run_dir is None:
            return
        cgroups.apply(after, self.session.run_dir.path)
        shown.show(after, self.session.run_dir.control)
        if after.pids_limit != before.pids_limit and "pids" not in self.session.held:
            core.limit_pids(self.session.run_dir.control, after.pids_limit)
        for watch in self._watches:
            watch.look()
        if self._names is not None:
            self._names.look()

    def _fail(self, problem: SandboxError) -> None:
        state = self.record.container.state
        if state.status in ("running", "paused"):
            state = lifecycle.exited(state, problem.exit_code, now())
        else:
            state = lifecycle.failed(state, problem.exit_code, problem.message)
        self._problem = problem
        self.record.change(state)

    def _depart(self) -> None:
        self.session.close()
        rundir.remove(self._address)
        if self._log is not None:
            self._log.close()
        if self.record.container.config.auto_remove:
            self.record.remove()
        self.record.close()
        if self._problem is not None and self._starter.verb == "start":
            self._starter.say(refusal(self._problem))
        self.requests.all_ended(self.record.container.state.exit_code)
        # The container is released. This process stays only for clients that read the end of a
        # long output later (a pager).
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.session.clients.dismiss()
        self.session.loop(lambda: not self.session.clients.all)


def refusal(problem: SandboxError) -> dict[str, object]:
    """Return the answer that reports *problem* to a client."""
    status = 409 if isinstance(problem, Conflict) else problem.http_status
    return {"error": problem.message, "code": problem.exit_code, "status": status}


def _usage(before: resource.struct_rusage, wall: float) -> Usage:
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(
        user=after.ru_utime - before.ru_utime,
        system=after.ru_stime - before.ru_stime,
        wall=wall,
        max_rss=after.ru_maxrss * 1024,
        minor_faults=after.ru_minflt - before.ru_minflt,
        major_faults=after.ru_majflt - before.ru_majflt,
        read=(after.ru_inblock - before.ru_inblock) * 512,
        written=(after.ru_oublock - before.ru_oublock) * 512,
    )


def main() -> None:
    """Run the supervisor that standard input describes."""
    connection = socket.socket(fileno=os.dup(0))
    connection.set_inheritable(False)
    text = b""
    while not text.endswith(b"\n"):
        piece = connection.recv(65536)
        if not piece:
            return
        text += piece
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    os.chdir("/")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    reaper.adopt_orphans()
    try:
        supervisor = Supervisor(Plan.from_json(text), connection)
    except SandboxError as exc:
        with suppress(OSError):
            connection.sendall(protocol.line(refusal(exc)))
        return
    supervisor.live()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""The health check of a running container.

Rules: the supervisor's loop and its timers do everything. A check is one more process of the
container, and no call waits for it. Docker's rules decide what its exit code means.

Does not know: who reads the results.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.models.policy import SECOND, Health, HealthState
from sandbox.models.record import replace
from sandbox.runtime.lifecycle import exit_code_of
from sandbox.runtime.logs.writer import stamp

if TYPE_CHECKING:
    from sandbox.runtime.supervisor.container_record import ContainerRecord
    from sandbox.runtime.supervisor.event_loop import Session, Timer

_CHUNK = 65536
_KEPT_OUTPUT = 4096
_KEPT_RESULTS = 5


class HealthWatch:
    """Runs the health check of a container periodically."""

    def __init__(self, record: ContainerRecord, session: Session, health: Health) -> None:
        """Run the first check after one interval."""
        self._record = record
        self._session = session
        self._health = health
        self._main = session.main
        self._begun = time.monotonic()
        self._pid = 0
        self._output: int | None = None
        self._heard = b""
        self._is_more = False
        self._started = 0
        self._deadline: Timer | None = None
        self._set(HealthState())
        session.on_tick = self._tick
        session.after(self._interval(), self._ask)

    def _set(self, state: HealthState) -> None:
        self._record.change(replace(self._record.container.state, health=state))

    @property
    def _state(self) -> HealthState:
        return self._record.container.state.health or HealthState()

    def _starts(self) -> bool:
        """Tell whether the start period lasts, in which failures do not count."""
        passed = time.monotonic() - self._begun
        return self._state.status == "starting" and passed < self._health.start_period / SECOND

    def _interval(self) -> float:
        chosen = self._health.start_interval if self._starts() else self._health.interval
        return chosen / SECOND

    def _is_current(self) -> bool:
        return self._session.main is self._main and self._session.run_dir is not None

    def _ask(self) -> None:
        if not self._is_current():
            return
        if self._record.container.state.status != "running":
            self._session.after(self._interval(), self._ask)
            return
        self._started = time.time_ns()
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reader, False)
        self._output, self._heard, self._is_more = reader, b"", False
        try:
            self._pid = self._start(writer)
        except SandboxError as exc:
            self._answered(-1, exc.message.encode())
            return
        self._session.listen(reader, self._hear)
        self._main.others[self._pid] = -1
        self._deadline = self._session.after(self._health.timeout / SECOND, self._too_late)

    def _start(self, writer: int) -> int:
        from sandbox.runtime.exec import exec_process
        from sandbox.runtime.process.start import Streams

        run_dir = self._session.run_dir
        assert run_dir is not None
        request = exec_process.ExecRequest(args=self._health.argv)
        try:
            process = exec_process.prepared(self._record.container.config, run_dir.path, request)
        except SandboxError:
            os.close(writer)
            raise
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        process.start(Streams(stdin=null, stdout=writer, stderr=writer), lambda _: None)
        return process.main.pid

    def _too_late(self) -> None:
        seconds = self._health.timeout / SECOND
        self._hear_all()
        said = f"Health check exceeded timeout ({seconds:g}s): ".encode()
        self._answered(-1, said + self._heard + b"..." * self._is_more)

    def _tick(self) -> None:
        """Handle the end of a check; called after every event."""
        status = self._main.others.get(self._pid, -1) if self._pid else -1
        if status != -1:
            self._hear_all()
            self._answered(exit_code_of(status), self._heard + b"..." * self._is_more)

    def _hear_all(self) -> None:
        while not self._is_more and self._hear():
            pass

    def _hear(self) -> bool:
        """Read the check's output so that it never blocks; return False at its end."""
        assert self._output is not None
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._session.turn_away(self._output)
        room = _KEPT_OUTPUT - len(self._heard)
        self._heard += data[:room]
        self._is_more = self._is_more or len(data) > room
        return bool(data)

    def _answered(self, code: int, output: bytes) -> None:
        if self._deadline is not None:
            self._deadline.action = None
        if self._pid:
            if self._main.others.pop(self._pid, 0) == -1:
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
            self._pid = 0
        if self._output is not None:
            self._session.turn_away(self._output)
            os.close(self._output)
            self._output = None
        if self._is_current():
            self._judge(code, output)
            self._session.after(self._interval(), self._ask)

    def _judge(self, code: int, output: bytes) -> None:
        before = self._state
        result = {
            "Start": stamp(self._started),
            "End": stamp(time.time_ns()),
            "ExitCode": code,
            "Output": output.decode("utf-8", "replace"),
        }
        log = (*before.log, result)[-_KEPT_RESULTS:]
        if code == 0:
            after = HealthState(status="healthy", log=log)
        elif self._starts():
            after = replace(before, log=log)
        else:
            streak = before.failing_streak + 1
            status = "unhealthy" if streak >= self._health.retries else before.status
            after = HealthState(status=status, failing_streak=streak, log=log)
        self._set(after)
        if after.status != before.status:
            self._record.tell(f"health_status: {after.status}")

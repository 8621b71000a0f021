# SPDX-License-Identifier: MIT
"""The supervisor's event loop: a run's output and input, its clients, its timers.

Rules: one `selectors` loop, in which no call blocks. Output goes first to the log and then
to the attached clients. While a client is far behind, the loop does not read the container's
pipes, so the container waits and no output is lost. Input that the container does not take
stops the clients in the same way.

Does not know: restart policies, records, or what a request means.
"""

from __future__ import annotations

import os
import selectors
import signal
import termios
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from sandbox.models.record import Record
from sandbox.native import core
from sandbox.runtime import launch, rundir, terminal
from sandbox.runtime.limits import cgroups
from sandbox.runtime.process import lookup, reaper
from sandbox.runtime.process.pause import Pace
from sandbox.runtime.process.start import FirstProcess, Streams
from sandbox.runtime.supervisor import protocol
from sandbox.runtime.supervisor.clients import Clients

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sandbox.models.container import ContainerConfig
    from sandbox.runtime.launch import Place
    from sandbox.runtime.lifecycle import MainProcess
    from sandbox.runtime.logs.writer import LogFile
    from sandbox.runtime.rundir import RunDir
    from sandbox.runtime.supervisor.clients import Client

_CHUNK = 65536
_TOO_MUCH = 256 * 1024
_NAMES = {protocol.STDOUT: "stdout", protocol.STDERR: "stderr"}


class Timer(Record, eq=False):
    """An action to run later; cleared after it ran or when it is no longer wanted."""

    when: float
    action: Callable[[], None] | None


class Session:
    """The loop, from the supervisor's first client to its last."""

    def __init__(self, listener: socket.socket, log: LogFile | None) -> None:
        """Listen for clients. Requests go to *on_request*, which the supervisor sets."""
        self.on_request: Callable[[Client, dict[str, object]], None] = lambda *_: None
        self.on_stop: Callable[[], None] = lambda: None
        self.on_tick: Callable[[], None] = lambda: None
        self.main = reaper.MainProcess()
        self.run_dir: RunDir | None = None
        self.held: frozenset[str] = frozenset()  # the controllers of the run's cgroup
        self.was_out_of_memory = False  # as its cgroup reports
        self.pace = Pace("", list)
        self.size: tuple[int, int] | None = None
        self._log = log
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self.clients = Clients(
            self._selector,
            on_request=lambda client, message: self.on_request(client, message),
            on_frame=self._frame,
            input_full=lambda: len(self._pending) > _TOO_MUCH,
        )
        self._timers: list[Timer] = []
        self._sources: dict[int, int] = {}
        self._reading = False
        self._input: int | None = None
        self._input_watched = False
        self._pending = bytearray()
        self._input_ended = False
        self._master: int | None = None
        self._terminal: int | None = None
        self._once = False
        self._selector.register(
            listener, selectors.EVENT_READ, lambda _: self.clients.accept(listener)
        )
        self._wake_on_signals()

    def _wake_on_signals(self) -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.after(0, lambda: self.on_stop()))
        self._selector.register(reader, selectors.EVENT_READ, lambda _: terminal.drain(reader))

    # ---- a run ------------------------------------------------------------------------

    def run(
        self,
        config: ContainerConfig,
        place: Place,
        *,
        on_start: Callable[[MainProcess], None],
        after_start: Callable[[], None],
    ) -> int:
        """Run the container to its end and return the wait status."""
        with launch.live_tree(config, place) as run_dir:
            rundir.link_guest(run_dir, place.guest)
            first = FirstProcess(config, run_dir, lookup.prepare(config, run_dir.control))
            self.main, self.run_dir = first.main, run_dir
            self.pace = Pace(run_dir.control, self.processes)
            self.held = cgroups.controllers_of(run_dir.path)
            with ExitStack() as stack:
                stack.callback(self._close_streams)
                stack.callback(reaper.kill_all, run_dir.control)
                first.start(self._open_streams(config), on_start)
                after_start()
                self.loop(self.main.has_ended)
                self.was_out_of_memory = cgroups.was_out_of_memory(run_dir.path)
        self.run_dir = None
        assert self.main.status is not None
        return self.main.status

    def processes(self) -> list[int]:
        """Return the pids of the container's processes."""
        return core.processes(self.run_dir.control) if self.run_dir else []

    def kill(self, pid: int) -> None:
        """Kill one of these processes."""
        if self.run_dir:
            core.signal_process(self.run_dir.control, pid, signal.SIGKILL)

    def _open_streams(self, config: ContainerConfig) -> Streams:
        self._once = config.policy.stdin_once
        self._input_ended = False
        if config.tty:
            pty = terminal.open_pty(None)
            self._master, self._terminal = pty.master, os.dup(pty.slave)
            if self.size:
                self.resize(*self.size)
            self._input = os.dup(pty.master)
            os.set_blocking(self._input, False)
            self._sources = {pty.master: protocol.STDOUT}
            streams = Streams(terminal=pty.slave)
        else:
            out, out_end = os.pipe2(os.O_CLOEXEC)
            err, err_end = os.pipe2(os.O_CLOEXEC)
            self._sources = {out: protocol.STDOUT, err: protocol.STDERR}
            if config.open_stdin:
                stdin, self._input = os.pipe2(os.O_CLOEXEC)
                os.set_blocking(self._input, False)
            else:
                stdin = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
            streams = Streams(stdin=stdin, stdout=out_end, stderr=err_end)
        for fd in self._sources:
            os.set_blocking(fd, False)
        self._push_input()
        return streams

    def _close_streams(self) -> None:
        """Read the remaining output and close; every writer is dead."""
        if self._reading:
            self._stop_reading()
        for fd in list(self._sources):
            while self._read(fd):
                pass
            os.close(fd)
        self._sources.clear()
        self._close_input()
        if self._terminal is not None:
            os.close(self._terminal)
        self._terminal = self._master = None
        if self._log is not None:
            self._log.finish()

    def _read(self, fd: int) -> bool:
        """Read one chunk of output; return False when there is none."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # EIO: the terminal's other side is closed
        if not data:
            return False
        stream = self._sources[fd]
        if self._log is not None:
            self._log.add(_NAMES[stream], data)
        self.clients.broadcast(stream, data)
        return True

    def _readable(self, fd: int) -> None:
        if not self._read(fd):
            self._selector.unregister(fd)
            os.close(fd)
            del self._sources[fd]

    def _start_reading(self) -> None:
        for fd in self._sources:
            self._selector.register(fd, selectors.EVENT_READ, lambda _, fd=fd: self._readable(fd))
        self._reading = True

    def _stop_reading(self) -> None:
        for fd in self._sources:
            self._selector.unregister(fd)
        self._reading = False

    # ---- input -------------------------------------------------------------------------

    def _frame(self, client: Client, stream: int, data: bytes) -> None:
        if stream == protocol.CONTROL:
            self.on_request(client, {**protocol.parse_line(data), "verb": ""})
        elif stream == protocol.STDIN and client.gives_input:
            self._type(data)

    def _type(self, data: bytes) -> None:
        if data:
            self._pending += data
        elif self._master is not None:
            self._pending += terminal.end_of_file(self._master)
        elif self._once:
            self._input_ended = True
        self._push_input()

    def _push_input(self) -> None:
        if self._input is None:
            if self.run_dir is not None and self.main.pid:
                self._pending.clear()
            return
        was_full = len(self._pending) > _TOO_MUCH
        try:
            while self._pending:
                count = os.write(self._input, memoryview(self._pending)[:_CHUNK])
                del self._pending[:count]
        except BlockingIOError:
            pass
        except OSError:
            self._pending.clear()
            self._close_input()
        if not self._pending and self._input_ended:
            self._close_input()
        self._watch_input()
        if was_full:
            self.clients.refresh()

    def _watch_input(self) -> None:
        wanted = bool(self._pending) and self._input is not None
        if wanted == self._input_watched or self._input is None:
            return
        if wanted:
            self._selector.register(
                self._input, selectors.EVENT_WRITE, lambda _: self._push_input()
            )
        else:
            self._selector.unregister(self._input)
        self._input_watched = wanted

    def _close_input(self) -> None:
        if self._input is None:
            return
        if self._input_watched:
            self._selector.unregister(self._input)
            self._input_watched = False
        os.close(self._input)
        self._input = None
        self._pending.clear()

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the container's terminal."""
        self.size = (rows, columns)
        if self._master is not None:
            with suppress(termios.error, OSError):
                termios.tcsetwinsize(self._master, (rows, columns))

    # ---- the loop ------------------------------------------------------------------------

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Run *action* in the loop later."""
        timer = Timer(time.monotonic() + seconds, action)
        self._timers.append(timer)
        return timer

    def listen(self, fd: int, heard: Callable[[], object]) -> None:
        """Call *heard* whenever there is data to read, until `turn_away`."""
        self._selector.register(fd, selectors.EVENT_READ, lambda _: heard())

    def turn_away(self, fd: int) -> None:
        """Stop listening there."""
        with suppress(KeyError):
            self._selector.unregister(fd)

    def loop(self, is_over: Callable[[], bool]) -> None:
        """Serve until *is_over* returns true; it is called after every event."""
        while not is_over():  # is_over also reaps children, which the tick then sees
            self.on_tick()
            if self._sources and self._reading == self.clients.congested:
                (self._stop_reading if self._reading else self._start_reading)()
            elif not self._sources:
                self._reading = False
            for key, mask in self._selector.select(self._patience()):
                # An earlier event may have closed this socket (its descriptor is then -1), and
                # a new socket may have its number.
                present = self._selector.get_map().get(key.fd)
                if present is not None and present.fileobj is key.fileobj:
                    key.data(mask)
            self._ring()

    def _patience(self) -> float | None:
        self._timers = [timer for timer in self._timers if timer.action is not None]
        if not self._timers:
            return None
        return max(0.0, min(timer.when for timer in self._timers) - time.monotonic())

    def _ring(self) -> None:
        moment = time.monotonic()
        for timer in list(self._timers):
            action = timer.action
            if action is not None and timer.when <= moment:
                timer.action = None
                action()

    def close(self) -> None:
        """Stop accepting connections."""
        self._selector.unregister(self._listener)
        self._listener.close()

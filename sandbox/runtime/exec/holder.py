# SPDX-License-Identifier: MIT
"""The holder of an exec process that outlives its command: exec -t, exec -d.

How it works: the command forks a holder, which starts the process and waits for its end.
Both have the terminal, if there is one, and the command copies between it and the user. When
the command is gone (killed, or detached by keys), the holder reads the terminal, so that the
process never blocks on its output.

A socket joins the two. The command receives one line when the process runs or cannot run,
and one line with its exit code. The holder receives one byte for each signal, and end of
file when the command ends.

Rules: the holder keeps none of the command's descriptors open.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError
from sandbox.runtime import attach, lifecycle, terminal
from sandbox.runtime.process import reaper
from sandbox.runtime.process.start import Streams
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.runtime.process.start import FirstProcess
    from sandbox.runtime.terminal import Pty

_CHUNK = 65536


def start(
    process: FirstProcess,
    pty: Pty | None,
    *,
    on_start: Callable[[lifecycle.MainProcess], None],
    on_end: Callable[[int], None],
) -> socket.socket:
    """Start *process* on *pty*, or without one, in a holder; return the connection to it.

    The holder calls *on_start*, and *on_end* with the exit code. Only the master of *pty*
    stays open here. Raises `RuntimeFailed` and the errors of *on_start*.
    """
    ours, theirs = socket.socketpair()
    with reaper.signals_held():
        pid = os.fork()
        if pid == 0:
            _be_holder(_Holder(process, pty, theirs, on_end), on_start)
    theirs.close()
    if pty is not None:
        os.close(pty.slave)
    try:
        attach.understand(protocol.read_line(ours))
    except BaseException:
        ours.close()
        raise
    return ours


def stay(connection: socket.socket, master: int, *, stdin: bool, keys: bytes) -> int | None:
    """Relay until the process ends; return its exit code, or None after a detach."""
    code: list[int] = []

    def has_ended() -> bool:
        with suppress(BlockingIOError):
            while not code and (data := connection.recv(512)):
                code.append(int(protocol.parse_line(data)["exit"]))
            if not code:
                raise attach.NobodyThere("the process that held the terminal was killed")
        return bool(code)

    like = terminal.users_own()
    watch = terminal.KeyWatch(keys if stdin else b"")
    with ExitStack() as stack:
        stack.enter_context(_signals(connection, like, master))
        if stdin:
            stack.enter_context(terminal.raw_mode(0))
        connection.setblocking(False)
        terminal.relay(
            master,
            keyboard=0 if stdin else None,
            screen=1,
            wake=connection.fileno(),
            has_ended=has_ended,
            keys=watch,
        )
    return None if watch.found else code[0]


@contextmanager
def _signals(connection: socket.socket, like: int | None, master: int) -> Iterator[None]:
    """Send signals to the holder, and the window's size to the terminal."""

    def passed(number: int, *_: Any) -> None:
        with suppress(OSError):
            connection.send(bytes([number]))

    def resized(*_: Any) -> None:
        if like is not None:
            terminal.copy_size(like, master)

    handlers: dict[int, Any] = {**dict.fromkeys(reaper.PROXIED, passed)}
    handlers[signal.SIGWINCH] = resized
    previous = {}
    for number, handler in handlers.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, handler)
    try:
        resized()  # the size may have changed since the terminal was made
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


def _be_holder(holder: _Holder, on_start: Callable[[lifecycle.MainProcess], None]) -> None:
    """Run the holder in the forked child; never return."""
    try:
        holder.settle()
        with reaper.woken_by_children(lambda: None) as wake:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            holder.live(on_start, wake)
    except SandboxError as exc:
        holder.say({"error": exc.message, "code": exc.exit_code, "status": exc.http_status})
    except OSError as exc:
        holder.say({"error": f"cannot start the process: {exc}", "code": 125})
    finally:
        os._exit(0)


class _Holder:
    """The holder's side."""

    def __init__(
        self,
        process: FirstProcess,
        pty: Pty | None,
        connection: socket.socket,
        on_end: Callable[[int], None],
    ) -> None:
        self._process = process
        self._pty = pty
        self._connection: socket.socket | None = connection
        self._on_end = on_end

    def settle(self) -> None:
        """Release everything that belongs to the command."""
        assert self._connection is not None
        os.setsid()
        reaper.adopt_orphans()
        null = os.open("/dev/null", os.O_RDWR)
        terminal_ends = (self._pty.master, self._pty.slave) if self._pty else ()
        kept = {0, 1, 2, *terminal_ends, self._connection.fileno()}
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        reaper.close_others(kept)
        for number in reaper.PROXIED:
            signal.signal(number, signal.SIG_IGN)

    def live(self, on_start: Callable[[lifecycle.MainProcess], None], wake: int) -> None:
        """Start the process and report how it ended."""
        main = self._process.main
        self._process.start(self._streams(), on_start)
        self.say({"ok": True})
        while not main.has_ended():
            # Without a connection no other process reads the terminal.
            other = self._other()
            ready, _, _ = select.select([wake] if other is None else [wake, other], [], [])
            if wake in ready:
                terminal.drain(wake)
            if other is not None and other in ready:
                self._hear() if self._connection else self._skip(other, wake)
        assert main.status is not None
        code = lifecycle.exit_code_of(main.status)
        with suppress(SandboxError):  # the command must hear of the end nevertheless
            self._on_end(code)
        self.say({"exit": code})

    def _other(self) -> int | None:
        """Return the descriptors to watch beside the process."""
        if self._connection is not None:
            return self._connection.fileno()
        return None if self._pty is None else self._pty.master

    def _streams(self) -> Streams:
        if self._pty is not None:
            return Streams(terminal=self._pty.slave)
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        return Streams(stdin=null, stdout=null, stderr=null, free=True)

    def _hear(self) -> None:
        assert self._connection is not None
        numbers = b""
        with suppress(OSError):
            numbers = self._connection.recv(512)
        for number in numbers:
            self._process.main.send(number)
        if not numbers:
            self._connection.close()
            self._connection = None
            if self._pty is not None:
                os.set_blocking(self._pty.master, False)

    def _skip(self, master: int, wake: int) -> None:
        try:
            os.read(master, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: no process has the other side open; the end will follow
            select.select([wake], [], [])

    def say(self, message: dict[str, object]) -> None:
        """Send a line to the command, if it is there."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.sendall(protocol.line(message))

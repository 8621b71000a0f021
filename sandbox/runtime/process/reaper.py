# SPDX-License-Identifier: MIT
"""Watch the main process of a container from before its fork to its end.

Rules: this process forwards the signals that it receives to the container. It is a
subreaper: orphans of the container become its children, so none of them outlives the main
process.

Does not know: what is executed, or what happens with the exit status.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.errors import NativeError
from sandbox.native import process_table
from sandbox.native.process_status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

# Not forwarded: these concern this process or its terminal.
_OWN_SIGNALS = {
    signal.SIGKILL,
    signal.SIGSTOP,
    signal.SIGCHLD,
    signal.SIGPIPE,
    signal.SIGURG,
    signal.SIGWINCH,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGCONT,
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGABRT,
    signal.SIGSYS,
    signal.SIGTRAP,
}
PROXIED = sorted(signal.valid_signals() - _OWN_SIGNALS)

# Processes may fork while they are killed; this many rounds end all but the fastest.
_KILL_ROUNDS = 1000
_PATIENCE = 10  # milliseconds


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant."""
    process_table.adopt_orphans()


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process a signal when its parent dies."""
    process_table.die_with_parent(number)


class MainProcess:
    """The main process: its end is the container's end.

    *others* holds the wait status of other children of interest: -1 until they end.
    """

    def __init__(self) -> None:
        """Start without a process id."""
        self.pid = 0
        self.status: int | None = None
        self.others: dict[int, int] = {}
        self._early: list[int] = []

    def born(self, pid: int) -> None:
        """Set the process id, and deliver the signals that arrived before."""
        self.pid = pid
        for number in self._early:
            self.send(number)
        self._early.clear()

    def send(self, number: int) -> None:
        """Forward a signal, if the process still exists."""
        if not self.pid:
            self._early.append(number)
        elif self.status is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def reap(self, *, block: bool) -> None:
        """Reap ended children; remember the status of the main process."""
        while self.status is None:
            try:
                pid, status = os.waitpid(-1, 0 if block else os.WNOHANG)
            except ChildProcessError:
                self.status = 0
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status
            elif pid in self.others:
                self.others[pid] = status

    def has_ended(self) -> bool:
        """Tell, without waiting, whether it has ended."""
        self.reap(block=False)
        return self.status is not None


@contextmanager
def proxied_signals(main: MainProcess) -> Iterator[None]:
    """Forward signals to *main* while the block runs.

    A signal that is ignored at the start (nohup) stays ignored.
    """

    def pass_on(number: int, _frame: FrameType | None) -> None:
        main.send(number)

    previous = {}
    for number in PROXIED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def woken_by_children(on_resize: Callable[[], None]) -> Iterator[int]:
    """Yield a descriptor that becomes readable when a child ends.

    *on_resize* is called when the user's window changes its size.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    old_child = signal.signal(signal.SIGCHLD, lambda *_: None)
    old_resize = signal.signal(signal.SIGWINCH, lambda *_: on_resize())
    old_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old_wakeup)
        signal.signal(signal.SIGWINCH, old_resize)
        signal.signal(signal.SIGCHLD, old_child)
        os.close(reader)
        os.close(writer)


@contextmanager
def signals_held() -> Iterator[None]:
    """Block all signals around a fork, until both sides have set their handlers."""
    old = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def close_others(kept: Iterable[int]) -> None:
    """Close every descriptor but *kept*."""
    wanted = sorted(kept)
    for low, high in zip([-1, *wanted], [*wanted, end_of_descriptors()], strict=True):
        if low + 1 < high:  # closerange(0, 0) closes everything
            os.closerange(low + 1, high)


def end_of_descriptors() -> int:
    """Return a number that is higher than every descriptor of this process.

    Before Linux 5.9, `closerange` makes a call for each number, and the limit may be a billion.
    """
    try:
        return max(map(int, os.listdir("/proc/self/fd"))) + 1
    except OSError:
        return 0x7FFFFFFF


def reset_signals() -> None:
    """Give a new process the default signal dispositions and an empty mask."""
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def kill_all(control: str) -> None:
    """Kill every process of the container and reap those that are children of this one.

    A process that starts meanwhile finds a mark in the control file, and ends.
    """
    from sandbox.native import core

    with suppress(NativeError):  # the file is gone already, or a guest has damaged it
        core.end(control)
    for _ in range(_KILL_ROUNDS):
        alive = core.processes(control, with_keeper=True)  # a guest can stop it
        if not alive:
            break
        for pid in alive:
            core.signal_process(control, pid, signal.SIGKILL)
        _await_end(alive[-1])
        _collect()
    _collect()


def _collect() -> None:
    """Reap ended children."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _await_end(pid: int) -> None:
    """Wait briefly for the end of a process, which need not be a child."""
    import select

    try:
        watch = os.pidfd_open(pid)
    except OSError as exc:  # it has ended and was reaped, or there are no descriptors
        if exc.errno == errno.ENOSYS:  # before Linux 5.3
            time.sleep(_PATIENCE / 1000)
        return
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.poll(_PATIENCE)
    finally:
        os.close(watch)


def start_time_of(pid: int) -> int | None:
    """Return the start time of a process in clock ticks after boot, or None if it has ended."""
    status = status_of(pid)
    return None if status is None or status.has_ended else status.start_time

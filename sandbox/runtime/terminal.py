# SPDX-License-Identifier: MIT
"""The user's terminal and the container's: a pty, raw mode, and the copying between them.

Rules: every way out ends raw mode. No byte is decoded or lost: output that is in the pty
when the main process ends is still shown.

Does not know: what runs at the other end. A callback tells when it has ended.
"""

from __future__ import annotations

import fcntl
import os
import select
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 65536


class Pty(Record, frozen=True):
    """Both ends of a new terminal: the master and the container's slave."""

    master: int
    slave: int


def open_pty(like: int | None) -> Pty:
    """Open a terminal with the size of *like*, if *like* is a terminal."""
    master, slave = os.openpty()
    if like is not None:
        copy_size(like, master)
    return Pty(master, slave)


def users_own() -> int | None:
    """Return the first descriptor of 0, 1 and 2 that is a terminal."""
    return next((fd for fd in (0, 1, 2) if os.isatty(fd)), None)


def copy_size(source: int, target: int) -> None:
    """Give *target* the window size of *source*; do nothing if either is no terminal."""
    try:
        termios.tcsetwinsize(target, termios.tcgetwinsize(source))
    except (termios.error, OSError):
        return


def set_size(fd: int, rows: int, columns: int) -> None:
    """Give the terminal *fd* a window size; do nothing if it is gone or no terminal."""
    try:
        termios.tcsetwinsize(fd, (rows, columns))
    except (termios.error, OSError):
        return


def become_controlling(slave: int) -> None:
    """Make *slave* the controlling terminal of this new session."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


@contextmanager
def raw_mode(fd: int) -> Iterator[None]:
    """Pass every key through to the container until the block ends."""
    if not os.isatty(fd):
        yield
        return
    saved = termios.tcgetattr(fd)
    try:
        # SIGTTOU would stop a background job here; a shell gives the terminal first.
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, saved)


class KeyWatch:
    """Finds the detach keys in the user's input."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""
        self.found = False

    def take(self, data: bytes) -> bytes:
        """Return the input to pass on; hold back a possible beginning of the keys."""
        if not self._keys:
            return data
        passed = bytearray()
        for value in data:
            self._held += bytes([value])
            while self._held and not self._keys.startswith(self._held):
                passed.append(self._held[0])
                self._held = self._held[1:]
            if self._held == self._keys:
                self.found = True
                break
        return bytes(passed)


def relay(
    master: int,
    *,
    keyboard: int | None,
    screen: int,
    wake: int,
    has_ended: Callable[[], bool],
    keys: KeyWatch | None = None,
) -> None:
    """Copy both ways until *has_ended* and the pty is empty, or until *keys* are typed.

    *wake* becomes readable when *has_ended* may have changed; *has_ended* empties it.
    *keyboard* is None when the user's input is not attached.
    """
    os.set_blocking(master, False)
    pending = b""
    while not has_ended():
        readers = [master, wake]
        if keyboard is not None and not pending:
            readers.append(keyboard)
        ready, writable, _ = select.select(readers, [master] if pending else [], [])
        if master in ready and not _show(master, screen):
            # The last process closed the terminal but has not been reaped yet.
            _await_end(wake, has_ended)
            return
        if keyboard in ready and keyboard is not None:
            typed = _read_keys(keyboard)
            if not typed:
                keyboard = None
                pending += end_of_file(master)
            pending += keys.take(typed) if keys else typed
            if keys and keys.found:
                _type(master, pending)
                return
        if writable or pending:
            pending = _type(master, pending)
    while _readable(master) and _show(master, screen):
        pass


def _read_keys(keyboard: int) -> bytes:
    """Return typed input; empty at the end of input or after a hang-up."""
    try:
        return os.read(keyboard, _CHUNK)
    except OSError:
        return b""


def _show(master: int, screen: int) -> bool:
    """Copy one chunk of output; False at the end of the terminal."""
    try:
        data = os.read(master, _CHUNK)
    except BlockingIOError:
        return True
    except OSError:  # EIO: no process has the other side open
        return False
    if not data:
        return False
    write_all(screen, data)
    return True


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write everything, also to a non-blocking descriptor."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select([], [fd], [])


def _type(master: int, data: bytes) -> bytes:
    """Write as much as the terminal takes now; return the rest."""
    try:
        return data[os.write(master, data) :]
    except BlockingIOError:
        return data
    except OSError:
        return b""


def end_of_file(master: int) -> bytes:
    """Return the key that means end of file on this terminal."""
    try:
        key = termios.tcgetattr(master)[6][termios.VEOF]
    except termios.error:
        return b"\x04"
    return key if isinstance(key, bytes) else bytes([key])


def _await_end(wake: int, has_ended: Callable[[], bool]) -> None:
    while not has_ended():
        select.select([wake], [], [])


def _readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def drain(fd: int) -> None:
    """Empty a non-blocking pipe that serves to wake a loop."""
    try:
        while os.read(fd, 512):
            pass
    except BlockingIOError:
        return

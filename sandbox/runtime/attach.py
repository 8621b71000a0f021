# SPDX-License-Identifier: MIT
"""The client's side of a connection to a supervisor: requests, and the terminal.

Rules: every way out ends raw mode. No byte is decoded. The client reads input only when the
supervisor takes it, and writes output before it reads more.

Does not know: what runs at the other end.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import termios
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from sandbox.errors import (
    CommandNotExecutable,
    CommandNotFound,
    Conflict,
    RuntimeFailed,
    SandboxError,
    UsageError,
)
from sandbox.models.record import Record
from sandbox.runtime import terminal
from sandbox.runtime.process import reaper
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 256 * 1024
_USUAL_KEYS = "ctrl-p,ctrl-q"
_CONTROL_KEYS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class Wishes(Record, frozen=True):
    """How the user wants to attach; empty *keys* mean that the user cannot detach."""

    stdin: bool = False
    tty: bool = False
    keys: bytes = b"\x10\x11"
    proxy: bool = True
    output: bool = True
    errors: bool = True


def parse_keys(text: str) -> bytes:
    r"""Return the bytes of a sequence of keys, as in ``ctrl-p,ctrl-q`` or ``a,b``.

    >>> parse_keys("ctrl-p,ctrl-q"), parse_keys("ctrl-[,x"), parse_keys("none")
    (b'\x10\x11', b'\x1bx', b'')
    """
    if text in ("", "none"):
        return b""
    keys = bytearray()
    for name in text.split(","):
        key = name.removeprefix("ctrl-")
        if len(key) == 1 and key == name:
            keys += key.encode()
        elif len(key) == 1 and key.isascii() and key.lower().isalpha():
            keys.append(ord(key.lower()) - ord("a") + 1)
        elif key in _CONTROL_KEYS:
            keys.append(_CONTROL_KEYS[key])
        else:
            raise UsageError(f"invalid detach keys ({text}): unknown character: '{name}'")
    return bytes(keys)


def chosen_keys(text: str | None) -> bytes:
    """Return the detach keys: the option's, else Docker's configuration's, else the default."""
    if text is None:
        folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
        try:
            with open(f"{folder}/config.json", "rb") as file:
                found = json.load(file).get("detachKeys")
        except (OSError, ValueError, AttributeError):
            found = None
        text = found if isinstance(found, str) and found else _USUAL_KEYS
    return parse_keys(text)


def window_size(stdin: bool) -> tuple[int, int] | None:
    """Return (rows, columns) of the user's terminal, if there is one."""
    for fd in (0, 1, 2) if stdin else (1, 2):
        try:
            return termios.tcgetwinsize(fd)
        except (termios.error, OSError):
            continue
    return None


def ask(path: str, message: dict[str, Any], *, seconds: float | None = None) -> dict[str, Any]:
    """Send a request and return its answer; raise `RuntimeFailed` without an answer."""
    try:
        with protocol.connect(path) as connection:
            connection.settimeout(seconds)
            connection.sendall(protocol.line(message))
            return understand(protocol.read_line(connection))
    except OSError as exc:
        raise NobodyThere(f"the supervisor does not answer: {exc}") from exc


class NobodyThere(RuntimeFailed):
    """The supervisor is gone, or does not answer."""


def understand(answer: bytes) -> dict[str, Any]:
    """Return the content of an answer, or raise the error that it reports."""
    if not answer:
        raise NobodyThere("the supervisor ended without an answer")
    message = protocol.parse_line(answer)
    if "error" not in message:
        return message
    text, code = str(message["error"]), int(message.get("code", 1))
    if code == CommandNotFound.exit_code:
        raise CommandNotFound(text)
    if code == CommandNotExecutable.exit_code:
        raise CommandNotExecutable(text)
    if message.get("status") == Conflict.http_status:
        raise Conflict(text)
    if code == RuntimeFailed.exit_code:
        raise RuntimeFailed(text)
    problem = SandboxError(text)
    problem.exit_code = code
    raise problem


def stay(connection: socket.socket, wishes: Wishes) -> int | None:
    """Relay until the container ends; return its exit code, or None after a detach."""
    with ExitStack() as stack:
        wake = stack.enter_context(_signals(wishes))
        if wishes.stdin and wishes.tty:
            stack.enter_context(terminal.raw_mode(0))
        return _Relay(connection, wishes, wake).run()


class _Relay:
    def __init__(self, connection: socket.socket, wishes: Wishes, wake: int) -> None:
        self._connection = connection
        self._wishes = wishes
        self._wake = wake
        self._frames = protocol.Frames()
        self._keys = terminal.KeyWatch(wishes.keys if wishes.tty else b"")
        self._pending = b""
        self._listens = wishes.stdin
        self._screen = True
        self._typed = memoryview(bytearray(_CHUNK))
        self._heard = memoryview(bytearray(_CHUNK))

    def run(self) -> int | None:
        connection = self._connection
        connection.setblocking(False)
        while True:
            readers: list[Any] = [connection, self._wake]
            if self._listens and not self._pending:
                readers.append(0)
            writers = [connection] if self._pending else []
            ready, writable, _ = select.select(readers, writers, [])
            if self._wake in ready:
                self._pending += _told(_drained(self._wake), self._wishes)
            if connection in ready:
                code = self._hear()
                if code is not None:
                    return code
            if 0 in ready:
                self._read_keys()
                if self._keys.found:
                    return None
            if writable or self._pending:
                self._say()

    def _read_keys(self) -> None:
        try:
            count = os.readv(0, [self._typed])
        except OSError:
            count = 0
        if not count:
            self._listens = False
            self._pending += protocol.frame(protocol.STDIN, b"")
            return
        data = self._typed[:count]
        passed = self._keys.take(bytes(data)) if self._wishes.tty else data
        if passed:
            self._give(passed)

    def _give(self, data: bytes | memoryview) -> None:
        """Send a frame of input; the part that the socket does not take now waits."""
        if self._pending:
            self._pending += protocol.frame(protocol.STDIN, data)
            return
        try:
            self._pending = protocol.send_frame(self._connection, protocol.STDIN, data)
        except OSError:
            self._listens = False

    def _say(self) -> None:
        try:
            self._pending = self._pending[self._connection.send(self._pending) :]
        except BlockingIOError:
            return
        except OSError:
            self._pending = b""
            self._listens = False

    def _hear(self) -> int | None:
        """Show output that arrived; return the exit code when it arrives."""
        try:
            count = self._connection.recv_into(self._heard)
        except BlockingIOError:
            return None
        except OSError:
            count = 0
        if not count:
            raise NobodyThere("the supervisor was killed")
        for stream, content in self._frames.feed(self._heard[:count]):
            if stream == protocol.CONTROL:
                return int(protocol.parse_line(bytes(content))["exit"])
            wanted = self._wishes.errors if stream == protocol.STDERR else self._wishes.output
            if wanted and self._screen:
                try:
                    terminal.write_all(2 if stream == protocol.STDERR else 1, content)
                except BrokenPipeError:
                    self._screen = False
        return None


@contextmanager
def _signals(wishes: Wishes) -> Iterator[int]:
    """Catch signals for the other end; the given descriptor yields one byte for each."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    numbers: list[int] = [signal.SIGWINCH] if wishes.tty else []
    if wishes.proxy:
        numbers += reaper.PROXIED
    # Set first and reset last: the handlers themselves do nothing.
    old_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    previous = {}
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, lambda *_: None)
    try:
        if wishes.tty:
            os.write(writer, bytes([signal.SIGWINCH]))  # a change before the handler was set
        yield reader
    finally:
        for number, old in previous.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(old_wakeup)
        os.close(reader)
        os.close(writer)


def _told(numbers: bytes, wishes: Wishes) -> bytes:
    """Return the frames that report these signals."""
    frames = b""
    for number in numbers:
        if number == signal.SIGWINCH and wishes.tty:
            size = window_size(wishes.stdin)
            if size:
                frames += protocol.frame(protocol.CONTROL, protocol.line({"resize": size}))
        elif wishes.proxy and number in reaper.PROXIED:
            frames += protocol.frame(protocol.CONTROL, protocol.line({"signal": number}))
    return frames


def _drained(fd: int) -> bytes:
    data = b""
    try:
        while piece := os.read(fd, 4096):
            data += piece
    except BlockingIOError:
        pass
    return data

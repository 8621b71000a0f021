# SPDX-License-Identifier: MIT
"""The file of ``--network-log``: one line for each connection, written when it ends.

How it works: the guest runtime appends the start of each connection to a file of the run
directory, and each stream with the number that the kernel gives its socket. When the last
descriptor of a TCP socket closes, the kernel reports how many bytes it carried
(NETLINK_SOCK_DIAG, linux/sock_diag.h: the groups TCP_DESTROY). A separate process, forked
before the container's first process, joins both and adds names.

Rules: this process ends a moment after its parent, even when the parent is killed. It keeps
only those descriptors of its parent that it needs.

Does not know: how many bytes a connected datagram socket carried. The kernel reports none.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from sandbox.errors import map_os_errors
from sandbox.models.record import Record
from sandbox.runtime.network import etc_files, members
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.runtime.rundir import RunDir

_SOCK_DIAG = 4
_TCP_DESTROY = 1 << 0 | 1 << 2  # the groups of IPv4 and IPv6
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_COOKIE_AT, _ATTRIBUTES_AT = 60, 88  # in the message, behind both headers' fields
_INET_DIAG_INFO = 2
_BEGUN = ("0", "-EINPROGRESS", "-EINTR")
_REPEATED = ("-EALREADY", "-EISCONN")
_PERIOD = 500  # milliseconds between two reads of the file, whose growth no event announces
_LAST_MOMENT = 1.0  # seconds for the kernel's reports of the last sockets
_ROOM = 4 << 20


class Carried(Record, frozen=True):
    """How many bytes a stream carried; the end of the other side counts as one received."""

    established: bool
    sent: int
    received: int


def parse_event(message: bytes) -> tuple[int, Carried] | None:
    """Parse a message about a closed socket: the socket's number and its byte counts."""
    if len(message) < _ATTRIBUTES_AT:
        return None
    (cookie,) = struct.unpack_from("=Q", message, _COOKIE_AT)
    end = min(_HEADER.unpack_from(message)[0], len(message))
    at = _ATTRIBUTES_AT
    while at + 4 <= end:
        size, kind = struct.unpack_from("=HH", message, at)
        if kind == _INET_DIAG_INFO and size >= 4 + 216:  # struct tcp_info since Linux 4.19
            return cookie, _carried(message[at + 4 : at + size])
        at += max(size + 3 & ~3, 4)
    return None


def _carried(info: bytes) -> Carried:
    acked, received = struct.unpack_from("=QQ", info, 120)
    (segments,) = struct.unpack_from("=I", info, 152)
    sent, again = struct.unpack_from("=QQ", info, 200)
    return Carried(acked > 0, sent - again, received if segments else 0)


def names_of(hosts: str) -> dict[str, str]:
    r"""Return the first name of every address in a hosts file.

    >>> names_of("127.0.0.1 localhost\n127.9.1.2 db 0123456789ab # the database\n")
    {'127.0.0.1': 'localhost', '127.9.1.2': 'db'}
    """
    found: dict[str, str] = {}
    for line in hosts.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1:
            found.setdefault(_plain(words[0]), words[1])
    return found


def names_near(directory: str, identity: str) -> dict[str, str]:
    """Return the names by which the name server knows the containers on the same networks."""
    register = members.MemberRegister(directory)
    own = register.get(identity)
    return {
        place.address: other.name
        for mine in (own.endpoints if own else ())
        for other in register
        if mine.has_names and not other.shares and (place := other.on(mine.network))
    }


def _plain(address: str) -> str:
    """Return an IPv6 address as inet_ntop writes it, anything else unchanged."""
    if ":" not in address:
        return address
    try:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address))
    except OSError:
        return address


class Journal:
    """Joins the starts and the ends of connections to lines of the log."""

    def __init__(self, *, told: bool) -> None:
        """*told*: the kernel reports ends; without them the byte counts stay unknown."""
        self._told = told
        self._open: dict[int, str] = {}  # socket -> the line so far

    @property
    def is_waiting(self) -> bool:
        """Tell whether any connection is still open."""
        return bool(self._open)

    def begin(self, line: str, names: Mapping[str, str]) -> Iterator[str]:
        """Take a line of the guest runtime; yield the lines that are complete."""
        head, _, tail = line.rpartition(" = ")
        result, _, number = tail.partition(" #")
        address = head.rpartition(" ")[2].rpartition(":")[0].strip("[]")
        first = f"{head} {names.get(_plain(address), '-')}"
        cookie = int(number) if number.isdecimal() else 0
        known = self._open.get(cookie)
        if known and result in (*_BEGUN, *_REPEATED):
            return
        if known:
            del self._open[cookie]
            yield f"{known} = {result}"
        elif cookie and result in _BEGUN:
            self._open[cookie] = first
            if not self._told:
                yield from self.rest()
        else:
            yield f"{first} = {result}"

    def end(self, cookie: int, carried: Carried) -> Iterator[str]:
        """Yield the line of a closed socket, if it belongs to this container."""
        line = self._open.pop(cookie, "")
        if line and carried.established:
            yield f"{line} = 0 sent {carried.sent} received {carried.received}"
        elif line:  # a refused connection has no end
            yield f"{line} = failed"

    def rest(self) -> Iterator[str]:
        """Yield the lines of the connections whose end the kernel did not report."""
        for line in self._open.values():
            yield f"{line} = ? sent ? received ?"
        self._open.clear()


@contextmanager
def serving(path: str, run_dir: RunDir, identity: str, directory: str | None) -> Iterator[str]:
    """Write the log while the block runs; give the path that the guest runtime appends to.

    *directory* holds the networks' files, which name the other containers.
    """
    with map_os_errors(f"cannot write the network log {path}"):
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    source = os.open(run_dir.connections, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    events = _listen()
    with reaper.signals_held():
        pid = os.fork()
        if pid == 0:
            hosts = f"{run_dir.etc}/hosts"
            _serve(_Files(reader, source, target, hosts, identity, directory or ""), events)
    for fd in (reader, source, target):
        os.close(fd)
    if events is not None:
        events.close()
    try:
        yield run_dir.connections
    finally:
        os.close(writer)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _listen() -> socket.socket | None:
    """Return the socket on which the kernel reports ends, or None if it reports none."""
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        sock.bind((0, _TCP_DESTROY))
    except OSError:
        return None
    sock.setblocking(False)
    return sock


class _Files(Record, frozen=True):
    parent: int
    source: int
    target: int
    hosts: str
    identity: str
    directory: str


class _Writer:
    """The loop of the log's process: read both sources, write the log."""

    def __init__(self, files: _Files, events: socket.socket | None) -> None:
        self._files = files
        self._events = events
        self._journal = Journal(told=events is not None)
        self._names: dict[str, str] = {}
        self._seen: list[int] = []
        self._part = b""

    def live(self) -> None:
        """Run until the parent is gone, and a moment longer while ends are missing."""
        poll = select.poll()
        poll.register(self._files.parent, select.POLLIN)
        if self._events is not None:
            poll.register(self._events, select.POLLIN)
        while self._files.parent not in dict(poll.poll(_PERIOD)):
            self._look()
        poll.unregister(self._files.parent)
        self._look()
        deadline = time.monotonic() + _LAST_MOMENT
        while self._journal.is_waiting and (left := deadline - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self._look()
        self._write(self._journal.rest())

    def _look(self) -> None:
        """Read the ends first: the runtime wrote each start before its end, so none is missed."""
        ends = list(self._read_events())
        for line in self._read_lines():
            self._write(self._journal.begin(line, self._names))
        for cookie, carried in ends:
            self._write(self._journal.end(cookie, carried))

    def _read_events(self) -> Iterator[tuple[int, Carried]]:
        while self._events is not None:
            try:
                event = parse_event(self._events.recv(65536))
            except BlockingIOError:
                return
            except OSError:  # ENOBUFS: the kernel dropped reports; their byte counts stay unknown
                continue
            if event:
                yield event

    def _read_lines(self) -> list[str]:
        data = self._part
        while chunk := os.read(self._files.source, 1 << 16):
            data += chunk
        whole, newline, self._part = data.rpartition(b"\n")
        if newline:
            self._read_names()
        return whole.decode("utf-8", "surrogateescape").splitlines() if newline else []

    def _read_names(self) -> None:
        """Update the names. Old names stay, because open connections still use their addresses."""
        seen = [_changed(self._files.hosts), _changed(f"{self._files.directory}/members")]
        if seen != self._seen:
            with suppress(OSError):
                hosts = etc_files.read_hosts(self._files.hosts) or b""
                self._names.update(names_of(hosts.decode("utf-8", "surrogateescape")))
            self._names.update(names_near(self._files.directory, self._files.identity))
            self._seen = seen

    def _write(self, lines: Iterator[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        if text:
            with suppress(OSError):  # a full disk must not end the container
                os.write(self._files.target, text.encode("utf-8", "surrogateescape"))


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _serve(files: _Files, events: socket.socket | None) -> NoReturn:
    """Run the log's process; release what the parent holds, above all its container's lock."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        kept = {files.parent, files.source, files.target}
        kept |= {events.fileno()} if events is not None else set()
        reaper.close_others(kept)
        _Writer(files, events).live()
    finally:
        os._exit(0)

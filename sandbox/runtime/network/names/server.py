# SPDX-License-Identifier: MIT
"""The process of the name server: it answers the containers of one store.

How it works: the process that starts it gives it its sockets. What it answers comes from the
register of members, which it reads again when the file has changed. It waits for the ends of the
processes that hold the members, and ends with the last.

Rules: a container learns of its own networks only. One failed question ends no other.

Does not know: who starts it (`keeping`).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from sandbox.runtime.network import etc_files, members
from sandbox.runtime.network.names import messages
from sandbox.runtime.network.names.askers import Askers
from sandbox.runtime.network.names.loop import READ, Loop
from sandbox.runtime.network.names.name_book import NameBook
from sandbox.runtime.network.names.streams import Streams
from sandbox.runtime.network.names.upstreams import Route, Upstreams
from sandbox.runtime.process import descriptor_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.native.network import NetworkTable
    from sandbox.runtime.network.names.messages import Question
    from sandbox.runtime.network.names.name_book import Asker

DATAGRAMS, STREAMS = 3, 4  # the descriptors of its sockets
_AT_ONCE = 32
_RESOLVERS = "/etc/resolv.conf"
_ADDRESSES = ("A", "ANY")
_MOST_TURNS = 4096


class Server:
    """Answers questions from the register in *directory*."""

    def __init__(self, directory: str, datagrams: socket.socket, listener: socket.socket) -> None:
        """Serve these sockets."""
        self._directory = directory
        self._datagrams = datagrams
        self._loop = Loop()
        self._upstreams = Upstreams(self._loop)
        self._askers = Askers(datagrams.getsockname())
        self._seen: object = None
        self._book = NameBook(())
        self._watched: dict[tuple[int, int], int] = {}
        self._machine: tuple[object, tuple[str, ...]] = (None, ())
        self._turns: dict[tuple[str, ...], int] = {}
        self._table: NetworkTable | None = None
        datagrams.setblocking(False)
        self._loop.watch(datagrams, READ, self._receive)
        Streams(self._loop, listener, self._admit_stream, self._respond_stream)

    def live(self) -> None:
        """Serve until the last member has gone."""
        self._look()
        while self._watched:
            self._loop.turn()

    # ---- the register --------------------------------------------------------------------

    def _look(self) -> None:
        """Read the register if it has changed."""
        seen = _version(f"{self._directory}/members")
        if seen == self._seen:
            return
        self._seen = seen
        register = members.MemberRegister(self._directory)
        self._book = NameBook(register)
        self._turns.clear()
        present = {(member.pid, member.pid_start): member for member in register}
        for key in [key for key in self._watched if key not in present]:
            self._forget(key)
        for key, member in present.items():
            if key not in self._watched:
                self._watch(key, member)

    def _watch(self, key: tuple[int, int], member: members.Member) -> None:
        with suppress(OSError):
            number = os.pidfd_open(member.pid)
            if not member.is_held:
                os.close(number)
                return
            self._watched[key] = number
            self._loop.watch(number, READ, lambda _: self._ended(key))

    def _forget(self, key: tuple[int, int]) -> None:
        number = self._watched.pop(key)
        self._loop.watch(number, 0, None)
        os.close(number)

    def _ended(self, key: tuple[int, int]) -> None:
        self._forget(key)
        if not self._watched:
            self._seen = None
            self._look()

    # ---- who asks ------------------------------------------------------------------------

    def _admit(self, peer: tuple[str, int], *, stream: bool) -> Asker | None:
        self._look()
        return self._askers.find(self._book, peer, stream=stream)

    def _admit_stream(self, peer: tuple[str, int]) -> Asker | None:
        return self._admit(peer, stream=True)

    def _receive(self, _mask: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, peer = self._datagrams.recvfrom(messages.LARGEST + 1)
            except BlockingIOError:
                return
            except OSError:  # the refusal of an earlier answer
                continue
            asker = self._admit(peer, stream=False)
            if asker is not None:
                self._respond(asker, data, partial(self._send, peer))

    def _send(self, peer: tuple[str, int], answer: bytes) -> None:
        if answer:
            with suppress(OSError):
                self._datagrams.sendto(answer, peer)

    def _respond_stream(self, asker: Asker, data: bytes, done: Callable[[bytes], None]) -> None:
        self._look()
        now = self._book.asker(asker.address)
        if now is None:
            done(b"")
        else:
            self._respond(now, data, done, stream=True)

    # ---- answers -------------------------------------------------------------------------

    def _respond(
        self, asker: Asker, data: bytes, done: Callable[[bytes], None], *, stream: bool = False
    ) -> None:
        question = messages.read(data)
        if isinstance(question, bytes):
            done(question)
            return
        found = self._find(asker, question)
        if found is not None:
            addresses, name = found
            done(messages.answer(question, addresses, name, stream=stream))
        elif asker.egress == "none":  # as Docker: no question leaves an internal network
            done(messages.failure(question))
        else:
            self._upstreams.ask(
                asker.number,
                data,
                self._routes(asker),
                lambda answer: done(answer or messages.failure(question)),
                stream=stream,
            )

    def _find(self, asker: Asker, question: Question) -> tuple[tuple[str, ...], str] | None:
        """Return the addresses or the name to answer with; None: it is not one of the networks'."""
        if question.address:
            name = self._book.name_of(asker, question.address)
            return ((), f"{name}.") if name else None
        addresses = self._book.addresses(asker, question.name)
        if not addresses:
            return None
        return (self._in_turn(addresses) if question.kind in _ADDRESSES else ()), ""

    def _in_turn(self, addresses: tuple[str, ...]) -> tuple[str, ...]:
        if len(addresses) == 1:
            return addresses
        if len(self._turns) > _MOST_TURNS:
            self._turns.clear()
        turn = self._turns.get(addresses, -1) + 1
        self._turns[addresses] = turn
        at = turn % len(addresses)
        return addresses[at:] + addresses[:at]

    # ---- other servers -------------------------------------------------------------------

    def _routes(self, asker: Asker) -> list[Route]:
        return [self._route(address) for address in asker.dns or self._machine_servers()]

    def _machine_servers(self) -> tuple[str, ...]:
        seen = _version(_RESOLVERS)
        if self._machine[0] != seen or seen is None:
            found = etc_files.name_servers(etc_files.host_file(_RESOLVERS))
            self._machine = (seen, found or ("127.0.0.1",))
        return self._machine[1]

    def _route(self, address: str) -> Route:
        """Return the way to a server, which may be in a container."""
        place = self._book.place(address)
        if place is None:
            return Route(address)
        number, gateway = place
        if self._table is None:
            from sandbox.native.network import NetworkTable

            self._table = NetworkTable.reading(self._directory)
        real, port = self._table.lead(number, "udp", 53)
        table = self._table
        return Route(
            real,
            port,
            gateway or self._datagrams.getsockname()[0],
            lambda own, on: table.relay(number, own, on=on),
        )


def _version(path: str) -> object:
    """Return what changes with a file's content; None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def main() -> None:
    """Serve the directory that the command line names."""
    os.closerange(STREAMS + 1, 1 << 20)
    os.chdir("/")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    descriptor_limit.widen()
    datagrams = socket.socket(fileno=DATAGRAMS)
    listener = socket.socket(fileno=STREAMS)
    for item in (datagrams, listener):
        item.set_inheritable(False)
    Server(sys.argv[1], datagrams, listener).live()


if __name__ == "__main__":
    main()

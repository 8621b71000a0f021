# SPDX-License-Identifier: MIT
"""The event loop of a supervisor."""

from __future__ import annotations

import pathlib
import selectors
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.runtime.supervisor import protocol
from sandbox.runtime.supervisor.event_loop import Session


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Restore the signal handlers: a session sets them, and this process goes on without it."""
    numbers = (signal.SIGCHLD, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_connection_closed_by_another_event_does_not_end_the_supervisor(
    tmp_path: pathlib.Path,
) -> None:
    session = Session(protocol.listen(str(tmp_path / "socket")), None)
    pairs = [socket.socketpair() for _ in range(2)]
    heard = []

    def hear(number: int) -> None:
        heard.append(number)
        other = pairs[1 - number][0]
        session._selector.unregister(other)
        other.close()

    for number, (ours, theirs) in enumerate(pairs):
        session._selector.register(
            ours, selectors.EVENT_READ, lambda _mask, number=number: hear(number)
        )
        theirs.send(b"x")
    session.loop(lambda: bool(heard))
    assert len(heard) == 1
    session.close()
    for pair in pairs:
        for end in pair:
            end.close()


def test_a_slow_reader_gets_the_whole_output(tmp_path: pathlib.Path) -> None:
    session = Session(protocol.listen(str(tmp_path / "socket")), None)
    ours, theirs = socket.socketpair()
    theirs.settimeout(100)
    client = session.clients.add(ours)
    client.attached = True
    data = b"0123456789abcdef" * 65536  # more than the connection buffers
    session.clients.broadcast(protocol.STDOUT, data)
    session.clients.dismiss()
    assert client.is_open
    with theirs, theirs.makefile("rb") as file, ThreadPoolExecutor() as pool:
        received = pool.submit(file.read)
        session.loop(lambda: not session.clients.all)
        assert received.result() == protocol.frame(protocol.STDOUT, data)
    session.close()

# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from sandbox.runtime.network.names import streams
from sandbox.runtime.network.names.loop import Loop
from sandbox.runtime.network.names.name_book import Asker
from sandbox.runtime.network.names.streams import Streams

HERE = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 256}.23"
ASKER = Asker(1, HERE, "free", (), (), ())


class Place:
    """Streams that answer each question with itself twice."""

    def __init__(self, asker: Asker | None = ASKER) -> None:
        self.loop = Loop()
        self.listener = socket.create_server((HERE, 0))
        self.held: list[Callable[[bytes], None]] = []
        self.is_slow = False
        self.callers: list[socket.socket] = []
        self.streams = Streams(self.loop, self.listener, lambda _peer: asker, self._ask)

    def _ask(self, _asker: Asker, data: bytes, done: Callable[[bytes], None]) -> None:
        if self.is_slow:
            self.held.append(done)
        else:
            done(2 * data)

    def call(self) -> socket.socket:
        sock = socket.create_connection(self.listener.getsockname())
        sock.setblocking(False)
        self.callers.append(sock)
        self.loop.turn()
        return sock

    def until(self, sock: socket.socket, size: int) -> bytes:
        """Return *size* bytes, or fewer if the connection ends."""
        data = b""
        while len(data) < size:
            try:
                piece = sock.recv(size - len(data))
            except BlockingIOError:
                self.loop.turn()
                continue
            except ConnectionResetError:
                break
            if not piece:
                break
            data += piece
        return data


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    for sock in made.callers:
        sock.close()
    while made.streams.count:
        made.loop.turn()
    made.listener.close()


def packed(*messages: bytes) -> bytes:
    return b"".join(len(item).to_bytes(2, "big") + item for item in messages)


def test_questions_are_answered_in_the_pieces_in_which_they_come(place: Place) -> None:
    sock = place.call()
    for byte in packed(b"one", b"two"):
        sock.send(bytes([byte]))
        place.loop.turn()
    wanted = packed(b"oneone", b"twotwo")
    assert place.until(sock, len(wanted)) == wanted


def test_a_caller_that_only_listens_gets_its_answer(place: Place) -> None:
    place.is_slow = True
    sock = place.call()
    sock.send(packed(b"late"))
    sock.shutdown(socket.SHUT_WR)
    while not place.held:
        place.loop.turn()
    place.held[0](b"here")
    assert place.until(sock, 100) == packed(b"here")


def test_an_answer_after_the_end_of_its_connection_is_dropped(place: Place) -> None:
    place.is_slow = True
    sock = place.call()
    sock.send(packed(b"late"))
    while not place.held:
        place.loop.turn()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    place.loop.turn()
    place.held[0](b"here")
    other = place.call()
    place.is_slow = False
    other.send(packed(b"x"))
    assert place.until(other, 4) == packed(b"xx")


def test_a_question_that_is_too_long_ends_the_connection(place: Place) -> None:
    sock = place.call()
    sock.send(b"\xff\xff")
    assert place.until(sock, 1) == b""


def test_an_idle_connection_is_closed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_IDLE", 0.01)
    assert place.until(place.call(), 1) == b""


def test_one_container_has_a_bounded_number_of_connections(place: Place) -> None:
    for _ in range(64):
        place.call()
    last = place.call()
    assert place.until(last, 1) == b""
    place.callers[0].close()
    place.loop.turn()
    again = place.call()
    again.send(packed(b"x"))
    assert place.until(again, 4) == packed(b"xx")


def test_a_stranger_is_not_served() -> None:
    place = Place(None)
    sock = place.call()
    assert place.until(sock, 1) == b""
    sock.close()
    place.listener.close()

# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest
from dnslib import RCODE, DNSRecord

from sandbox.runtime.network.names import messages, upstreams
from sandbox.runtime.network.names.loop import READ, Loop
from sandbox.runtime.network.names.upstreams import Route, Upstreams

HERE = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 256}.21"
QUESTION = bytes(DNSRecord.question("Far.example").pack())


class Far:
    """A name server elsewhere: what it says to each question."""

    def __init__(self, loop: Loop, *answers: Callable[[bytes], bytes]) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []
        self._loop = loop
        self.listener = socket.create_server((HERE, 0))
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(self.listener.getsockname())
        self.route = Route(*self.sock.getsockname())
        loop.watch(self.sock, READ, self._datagram)
        loop.watch(self.listener, READ, self._accept)

    def _datagram(self, _mask: int) -> None:
        data, peer = self.sock.recvfrom(4096)
        self.heard.append(data)
        answers = self.answers if len(self.answers) > 1 else self.answers[:1]
        for answer in answers:
            self.sock.sendto(answer(data), peer)

    def _accept(self, _mask: int) -> None:
        caller, _ = self.listener.accept()
        self._loop.watch(caller, READ, lambda _: self._stream(caller))

    def _stream(self, caller: socket.socket) -> None:
        data = caller.recv(4096)[2:]
        self.heard.append(data)
        answer = self.answers[0](data)
        self._loop.watch(caller, 0, None)
        for byte in len(answer).to_bytes(2, "big") + answer:
            caller.send(bytes([byte]))
        caller.close()

    def close(self) -> None:
        for sock in (self.sock, self.listener):
            self._loop.watch(sock, 0, None)
            sock.close()


def said(code: int) -> Callable[[bytes], bytes]:
    def answer(data: bytes) -> bytes:
        reply = DNSRecord.parse(data).reply()
        reply.header.rcode = code
        return bytes(reply.pack())

    return answer


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def far(loop: Loop) -> Iterator[Callable[..., Far]]:
    made: list[Far] = []

    def make(*answers: Callable[[bytes], bytes]) -> Far:
        made.append(Far(loop, *answers))
        return made[-1]

    yield make
    for item in made:
        if item.sock.fileno() >= 0:
            item.close()


def ask(loop: Loop, *routes: Route, stream: bool = False) -> bytes:
    answers: list[bytes] = []
    Upstreams(loop).ask(1, QUESTION, routes, answers.append, stream=stream)
    while not answers:
        loop.turn()
    return answers[0]


def code_of(answer: bytes) -> int:
    return int(DNSRecord.parse(answer).header.rcode)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_comes_back_with_the_number_of_its_question(
    loop: Loop, far: Callable[..., Far], stream: bool
) -> None:
    server = far(said(RCODE.NOERROR))
    answers = [ask(loop, server.route, stream=stream) for _ in range(3)]
    assert {answer[:2] for answer in answers} == {QUESTION[:2]}
    assert len({heard[:2] for heard in server.heard}) > 1, "its own number cannot be foreseen"


@pytest.mark.parametrize("stream", [False, True])
def test_the_next_server_is_asked_until_one_knows(
    loop: Loop, far: Callable[..., Far], stream: bool
) -> None:
    dead, broken, knows = (far(said(code)) for code in (0, RCODE.SERVFAIL, RCODE.NXDOMAIN))
    dead.close()
    answer = ask(loop, dead.route, broken.route, knows.route, stream=stream)
    assert code_of(answer) == RCODE.NXDOMAIN
    assert len(broken.heard) == 1


def test_a_silent_server_is_left(
    loop: Loop, far: Callable[..., Far], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstreams, "_PATIENCE", 0.01)
    silent = far()
    assert ask(loop, silent.route) == b""


def test_without_a_server_that_answers_there_is_no_answer(
    loop: Loop, far: Callable[..., Far]
) -> None:
    assert ask(loop) == b""
    assert ask(loop, far(said(RCODE.REFUSED)).route, Route("no address")) == b""


def test_an_answer_to_another_question_is_not_taken(loop: Loop, far: Callable[..., Far]) -> None:
    def other_number(data: bytes) -> bytes:
        return messages.numbered(said(RCODE.NOERROR)(data), (data[0] << 8 | data[1]) ^ 1)

    server = far(other_number, lambda _: b"junk", said(RCODE.NXDOMAIN))
    assert code_of(ask(loop, server.route)) == RCODE.NXDOMAIN


def test_one_container_cannot_take_all_places(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstreams, "_PATIENCE", 0.05)
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with silent:
        silent.bind((HERE, 0))
        route, refused = Route(*silent.getsockname()), []
        asking = Upstreams(loop)
        for _ in range(1000):
            asking.ask(1, QUESTION, [route], refused.append, stream=False)
        assert len(refused) == 1000 - 128
        asking.ask(2, QUESTION, [route], refused.append, stream=False)
        assert len(refused) == 1000 - 128
        while len(refused) < 1001:
            loop.turn()
        asking.ask(1, QUESTION, [route], refused.append, stream=False)
        assert len(refused) == 1001, "the places are free again"
        while len(refused) < 1002:
            loop.turn()


def test_a_server_in_a_container_is_told_the_port_of_the_question(
    loop: Loop, far: Callable[..., Far]
) -> None:
    server, told = far(said(RCODE.NOERROR)), []
    source = HERE.replace(".21", ".22")
    route = Route(server.route.address, server.route.port, source, lambda *row: told.append(row))
    assert code_of(ask(loop, route)) == RCODE.NOERROR
    [(port, on), (same, off)] = told
    assert (port, on, off) == (same, True, False)

# SPDX-License-Identifier: MIT
"""Bytes between sockets and pipes: complete and in order, even if the reader is slow."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from collections.abc import Iterator

import pytest

from sandbox.api.streams import hijack, splice
from sandbox.api.thread_pools import Work

SENT = os.urandom(300_000)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket, int, int]]:
    near, far = socket.socketpair()
    reader, writer = os.pipe()
    for fd in (near.fileno(), far.fileno(), reader, writer):
        os.set_blocking(fd, False)
    yield near, far, reader, writer
    near.close()
    far.close()
    for fd in (reader, writer):
        try:
            os.close(fd)
        except OSError:
            continue


def no_splice(*_: object, **__: object) -> int:
    raise OSError(errno.EINVAL, "no splice")


@pytest.mark.parametrize("has_splice", [True, False])
def test_all_bytes_arrive_in_order(
    ends: tuple[socket.socket, socket.socket, int, int],
    monkeypatch: pytest.MonkeyPatch,
    has_splice: bool,
) -> None:
    near, far, reader, writer = ends
    if not has_splice:
        monkeypatch.setattr(os, "splice", no_splice)

    async def pour() -> None:
        while await splice.move(far.fileno(), writer, 1 << 20):
            pass
        os.close(writer)

    async def send() -> None:
        await splice.write(near.fileno(), SENT)
        near.shutdown(socket.SHUT_WR)

    async def receive() -> bytes:
        found = b""
        while count := await splice.held(reader):
            found += os.read(reader, min(count, 5000))
        return found

    async def all_of_it() -> bytes:
        _, _, found = await asyncio.wait_for(asyncio.gather(send(), pour(), receive()), 60)
        return found

    assert asyncio.run(all_of_it()) == SENT


@pytest.mark.parametrize("has_splice", [True, False])
def test_a_pipe_into_a_socket_that_nobody_reads_waits_then_fails_when_it_closes(
    ends: tuple[socket.socket, socket.socket, int, int],
    monkeypatch: pytest.MonkeyPatch,
    has_splice: bool,
) -> None:
    near, far, reader, writer = ends
    if not has_splice:
        monkeypatch.setattr(os, "splice", no_splice)

    async def fill() -> None:
        while True:
            await splice.write(writer, SENT)

    async def pour() -> None:
        while await splice.move(reader, far.fileno(), 1 << 20):
            pass

    async def main() -> None:
        filling = asyncio.create_task(fill())
        pouring = asyncio.create_task(pour())
        await asyncio.wait({filling, pouring}, timeout=0.05)
        assert not pouring.done()
        near.close()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await asyncio.wait_for(pouring, 60)
        filling.cancel()

    asyncio.run(main())


def test_sent_bytes_count_as_taken_once_the_peer_has_read_them() -> None:
    near, far = socket.socketpair()

    async def main() -> None:
        near.send(b"a head")
        waiting = asyncio.create_task(hijack.taken(near.fileno(), 600))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        far.recv(3)
        far.recv(3)
        await waiting

    with near, far:
        asyncio.run(main())


def test_waiting_for_a_peer_that_never_reads_ends() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.send(b"a head")
        asyncio.run(hijack.taken(near.fileno(), 0.01))


def test_an_abandoned_stream_ends_without_a_warning() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        goes_on.wait(100)

    async def main() -> None:
        waiting = asyncio.create_task(Work().alone(work, "abandoned"))
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting

    asyncio.run(main())
    goes_on.set()
    for thread in threading.enumerate():
        if thread.name == "abandoned":
            thread.join(100)

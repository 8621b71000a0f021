# SPDX-License-Identifier: MIT
"""Bytes from socket to pipe and back: all of them, in order, however slow the other side."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterator

import pytest

from sandbox.api import splicing

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
        while await splicing.move(far.fileno(), writer, 1 << 20):
            pass
        os.close(writer)

    async def send() -> None:
        await splicing.write(near.fileno(), SENT)
        near.shutdown(socket.SHUT_WR)

    async def receive() -> bytes:
        found = b""
        while count := await splicing.held(reader):
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
            await splicing.write(writer, SENT)

    async def pour() -> None:
        while await splicing.move(reader, far.fileno(), 1 << 20):
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

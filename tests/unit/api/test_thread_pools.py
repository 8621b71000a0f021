# SPDX-License-Identifier: MIT
"""Blocking calls in threads of a server."""

from __future__ import annotations

import asyncio
import threading

import pytest

from sandbox.api import thread_pools
from sandbox.api.errors import ApiError
from sandbox.api.thread_pools import Sink, Work
from sandbox.errors import SandboxError


def test_calls_run_in_other_threads_and_return_their_results() -> None:
    async def main() -> list[object]:
        work = Work()
        try:
            return [
                await work.look(threading.get_ident),
                await work.act(int, "7"),
                await work.alone(threading.get_ident),
            ]
        finally:
            work.close()

    quick, number, stream = asyncio.run(main())
    assert number == 7
    assert len({quick, stream, threading.get_ident()}) == 3


def test_an_exception_in_a_thread_is_raised_in_the_loop() -> None:
    def fail() -> None:
        raise SandboxError("no")

    async def main() -> None:
        work = Work()
        for run in (work.look, work.act, work.alone):
            with pytest.raises(SandboxError, match="no"):
                await run(fail)
        work.close()

    asyncio.run(main())


def test_a_long_call_finishes_after_its_client_disconnects() -> None:
    started, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def act() -> None:
        started.set()
        go_on.wait(10)
        done.set()

    async def main() -> None:
        work = Work()
        task = asyncio.create_task(work.act(act))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await asyncio.to_thread(done.wait, 10)
        work.close()

    asyncio.run(main())


def test_streams_above_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_pools, "_STREAMS", 1)
    go_on = threading.Event()

    async def main() -> None:
        work = Work()
        first = asyncio.create_task(work.alone(lambda: go_on.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(ApiError, match="too many streams"):
            await work.alone(lambda: None)
        go_on.set()
        assert await first
        await work.alone(lambda: None)
        work.close()

    asyncio.run(main())


def test_small_pieces_are_joined_and_sent_in_order() -> None:
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    async def main() -> None:
        sink = Sink(asyncio.get_running_loop(), send)

        def write() -> None:
            for number in range(3000):
                sink.write(b"%099d\n" % number)
            sink.flush()
            sink.flush()

        await asyncio.to_thread(write)

    asyncio.run(main())
    assert b"".join(sent) == b"".join(b"%099d\n" % number for number in range(3000))
    assert len(sent) == 3

# SPDX-License-Identifier: MIT
"""Where blocking calls of the engine run: threads, so many and no more.

Rules: the event loop never waits for the engine. Short look-ups and verbs that may take
long have pools of their own; a stream that a client may read slowly has a thread of its
own, so that slow clients never hold others up.

Does not know: what is called.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sandbox.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_P = ParamSpec("_P")
_T = TypeVar("_T")
_QUICK, _SLOW, _STREAMS = 16, 64, 256
_PIECE = 128 * 1024


class Work:
    """The threads of one server."""

    def __init__(self) -> None:
        """Start nothing yet: threads come with the work."""
        self._quick = ThreadPoolExecutor(_QUICK, "quick")
        self._slow = ThreadPoolExecutor(_SLOW, "slow")
        self._streams = 0

    async def look(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do what takes milliseconds."""
        return await self._run(self._quick, partial(function, *args, **kwargs))

    async def act(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do what may take long; it is finished even if the client goes away."""
        return await asyncio.shield(self._run(self._slow, partial(function, *args, **kwargs)))

    async def _run(self, pool: ThreadPoolExecutor, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, function)

    async def alone(self, function: Callable[[], _T], name: str = "stream") -> _T:
        """Do what lasts as long as a client wants, in a thread of its own."""
        if self._streams >= _STREAMS:
            raise ApiError(503, "too many streams are open: try again later")
        result: Future[_T] = Future()

        def run() -> None:
            result.set_running_or_notify_cancel()  # from now on nobody can take it back
            try:
                result.set_result(function())
            except BaseException as exc:  # noqa: BLE001 - handed to whoever waits
                result.set_exception(exc)

        self._streams += 1
        try:
            threading.Thread(target=run, name=name, daemon=True).start()
            return await asyncio.wrap_future(result)
        finally:
            self._streams -= 1

    def close(self) -> None:
        """Take no more work; what runs goes on to its end."""
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._slow.shutdown(wait=False, cancel_futures=True)


class Sink:
    """Takes bytes in a thread and hands them to the loop in larger pieces.

    The writer waits while the client does not take what it was sent.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Write nothing yet."""
        self._loop = loop
        self._send = send
        self._held = bytearray()

    def write(self, data: bytes) -> None:
        """Take *data*; small pieces are kept until there is enough of them."""
        self._held += data
        if len(self._held) >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Hand over what is there and wait until it is sent."""
        if not self._held:
            return
        data, self._held = bytes(self._held), bytearray()
        asyncio.run_coroutine_threadsafe(self._deliver(data), self._loop).result()

    async def _deliver(self, data: bytes) -> None:
        await self._send(data)

# SPDX-License-Identifier: MIT
"""The threads for blocking calls of the engine, limited in number.

Rules: the event loop never waits for the engine. Short look-ups and long verbs have separate
pools. A stream that a client may read slowly has its own thread, so that slow clients never
delay others.

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
        """Start without threads; the first call starts one."""
        self._quick = ThreadPoolExecutor(_QUICK, "quick")
        self._slow = ThreadPoolExecutor(_SLOW, "slow")
        self._streams = 0

    async def look(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run a call that takes milliseconds."""
        return await self._run(self._quick, partial(function, *args, **kwargs))

    async def act(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run a call that may take long; it finishes even if the client leaves."""
        return await asyncio.shield(self._run(self._slow, partial(function, *args, **kwargs)))

    async def _run(self, pool: ThreadPoolExecutor, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, function)

    async def alone(self, function: Callable[[], _T], name: str = "stream") -> _T:
        """Run a call that lasts as long as its client wants, in its own thread."""
        if self._streams >= _STREAMS:
            raise ApiError(503, "too many streams are open: try again later")
        result: Future[_T] = Future()

        def run() -> None:
            result.set_running_or_notify_cancel()  # from now on it cannot be cancelled
            try:
                result.set_result(function())
            except BaseException as exc:  # noqa: BLE001 - passed to the waiting task
                result.set_exception(exc)

        self._streams += 1
        try:
            threading.Thread(target=run, name=name, daemon=True).start()
            return await asyncio.wrap_future(result)
        finally:
            self._streams -= 1

    def close(self) -> None:
        """Take no more work; running calls finish."""
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._slow.shutdown(wait=False, cancel_futures=True)


class Sink:
    """Takes bytes in a thread and passes them to the loop in larger pieces.

    The writer waits while the client does not read.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Start empty."""
        self._loop = loop
        self._send = send
        self._held = bytearray()

    def write(self, data: bytes) -> None:
        """Take *data*; buffer small pieces."""
        self._held += data
        if len(self._held) >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Pass the buffer to the loop and wait until it is sent."""
        if not self._held:
            return
        data, self._held = bytes(self._held), bytearray()
        asyncio.run_coroutine_threadsafe(self._deliver(data), self._loop).result()

    async def _deliver(self, data: bytes) -> None:
        await self._send(data)

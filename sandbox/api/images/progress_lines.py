# SPDX-License-Identifier: MIT
"""The progress of a transfer as lines of JSON for a client.

Rules: a failure after the first line is also a line, as clients expect.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sandbox.api.call import encode
from sandbox.api.errors import message_of, printable
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from sandbox.api.call import Call


class ProgressLines:
    """Lines of JSON from a thread to a client; the head is sent with the first."""

    def __init__(self, call: Call) -> None:
        """Send nothing yet."""
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._response: web.StreamResponse | None = None
        self._last: dict[str, int] = {}

    def tell(self, **line: Any) -> None:
        """Send one line, from a thread."""
        asyncio.run_coroutine_threadsafe(self.send(line), self._loop).result()

    async def send(self, line: dict[str, Any]) -> None:
        """Send one line, from the loop."""
        if self._response is None:
            self._response = await self._call.stream()
        await self._response.write(encode(line) + b"\r\n")

    def progress(self, name: str, status: str, done: int = 0, total: int = 0) -> None:
        """Report the progress of a transfer, at intervals."""
        if done and done < total and done - self._last.get(name, 0) < total // 50:
            return
        self._last[name] = done
        line: dict[str, Any] = {"status": status}
        if name:
            line["id"] = name
            line["progressDetail"] = {"current": done, "total": total} if total else {}
        self.tell(**line)

    async def run(
        self, function: Callable[[], None], *, always: bool = False
    ) -> web.StreamResponse:
        """Run *function* in a thread and end the answer, whatever it raises.

        Before the first line a failure sets the answer's status, but not with *always*.
        """
        try:
            await self._call.work.alone(function)
        except SandboxError as exc:
            if self._response is None and not always:
                raise
            text = printable(message_of(exc))
            await self.send({"errorDetail": {"message": text}, "error": text})
        if self._response is None:
            self._response = await self._call.stream()
        await self._response.write_eof()
        return self._response

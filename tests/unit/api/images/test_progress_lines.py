# SPDX-License-Identifier: MIT
"""Lines of JSON about a transfer in progress."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.api.images.progress_lines import ProgressLines
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable


class Response:
    def __init__(self) -> None:
        self.sent = b""

    async def write(self, data: bytes) -> None:
        self.sent += data

    async def write_eof(self) -> None:
        pass


def lines_of(act: Callable[[ProgressLines], None], *, always: bool = False) -> list[dict[str, Any]]:
    response = Response()

    async def stream() -> Response:
        return response

    async def alone(function: Callable[[], None]) -> None:
        await asyncio.to_thread(function)

    async def main() -> None:
        call: Any = SimpleNamespace(stream=stream, work=SimpleNamespace(alone=alone))
        lines = ProgressLines(call)
        await lines.run(lambda: act(lines), always=always)

    asyncio.run(main())
    return [json.loads(line) for line in response.sent.split(b"\r\n") if line]


def fail(text: str) -> None:
    raise SandboxError(text)


def test_a_failure_after_the_first_line_is_a_line() -> None:
    def act(lines: ProgressLines) -> None:
        lines.tell(status="Pulling")
        fail("disk full")

    assert lines_of(act) == [
        {"status": "Pulling"},
        {"errorDetail": {"message": "disk full"}, "error": "disk full"},
    ]


def test_an_earlier_failure_sets_the_status_unless_lines_are_wanted() -> None:
    with pytest.raises(SandboxError, match="no such image"):
        lines_of(lambda _: fail("no such image: x"))
    [line] = lines_of(lambda _: fail("no such image: x"), always=True)
    assert line["error"] == "No such image: x"


def test_progress_skips_small_steps_but_not_the_end() -> None:
    def act(lines: ProgressLines) -> None:
        for done in range(1, 1001):
            lines.progress("layer", "Downloading", done, 1000)

    told = [line["progressDetail"]["current"] for line in lines_of(act)]
    assert told[-1] == 1000
    assert len(told) <= 51
    assert all(line["id"] == "layer" for line in lines_of(act))

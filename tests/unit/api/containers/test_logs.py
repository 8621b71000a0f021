# SPDX-License-Identifier: MIT
"""The parts of a log that a client requests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.api.containers import logs
from sandbox.api.errors import BadRequest
from sandbox.runtime.logs.reader import Line
from tests.unit.api.fakecall import call_of


def test_a_stream_must_be_chosen() -> None:
    assert logs._wanted(call_of("stdout=1&stderr=true")) == {"stdout", "stderr"}
    with pytest.raises(BadRequest, match="at least one stream"):
        logs._wanted(call_of("follow=1"))


def test_zero_means_no_limit_in_time() -> None:
    span = logs._span(call_of("since=0&until=&tail=all"))
    assert (span.since, span.until, span.tail) == ("", "", None)


def test_since_and_until_are_times_and_tail_is_a_number() -> None:
    span = logs._span(call_of("since=1.5&tail=20"))
    assert (span.since, span.tail) == ("1970-01-01T00:00:01.500000000Z", 20)


class Response:
    def __init__(self) -> None:
        self.sent = b""

    async def write(self, data: bytes) -> None:
        self.sent += data


LINES = [
    Line("out\n", "stdout", "2026-01-02T03:04:05.000000006Z"),
    Line("err\n", "stderr", "2026-01-02T03:04:05.000000007Z"),
]


@pytest.mark.parametrize(
    ("wanted", "options", "sent"),
    [
        (
            {"stdout", "stderr"},
            {"tty": False, "stamps": False},
            b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n",
        ),
        ({"stderr"}, {"tty": True, "stamps": False}, b"err\n"),
        ({"stdout"}, {"tty": True, "stamps": True}, b"2026-01-02T03:04:05.000000006Z out\n"),
    ],
)
def test_lines_are_framed_unless_there_is_a_terminal(
    wanted: set[str], options: Any, sent: bytes
) -> None:
    response: Any = Response()
    asyncio.run(logs._Shown(response, frozenset(wanted), **options).show(LINES))
    assert response.sent == sent


def test_streams_that_were_not_requested_are_not_sent() -> None:
    response: Any = Response()
    shown = logs._Shown(response, frozenset({"stdout"}), tty=True, stamps=False)
    asyncio.run(shown.show(LINES[1:]))
    assert response.sent == b""

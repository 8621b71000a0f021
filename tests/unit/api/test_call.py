# SPDX-License-Identifier: MIT
"""The parts of a request that handlers read."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.api.bodies import ExecBody, ExecStartBody
from sandbox.api.call import Call, encode
from sandbox.api.errors import BadRequest
from tests.unit.api.fakecall import call_of


def with_body(data: bytes, content_type: str | None = "application/json") -> Call:
    async def pieces(_size: int) -> Any:
        yield data

    call = call_of()
    headers = {} if content_type is None else {"Content-Type": content_type}
    request: Any = SimpleNamespace(
        content=SimpleNamespace(iter_chunked=pieces), headers=headers, query={}
    )
    call.request = request
    return call


def test_parameters_are_read_by_type() -> None:
    call = call_of("all=1&limit=5&t=a&t=b&size=false&filters=%7B%22id%22%3A%5B%22x%22%5D%7D")
    assert (call.flag("all"), call.flag("size"), call.flag("absent")) == (True, False, False)
    assert call.flag("absent", default=True)
    assert (call.number("limit"), call.number("absent")) == (5, None)
    assert call.texts("t") == ["a", "b"]
    assert call.filters() == {"id": ["x"]}


def test_a_body_is_decoded_as_go_does_it() -> None:
    call = with_body(b'{"cmd": ["true"], "TTY": true, "Unknown": 1}')
    body = asyncio.run(call.body(ExecBody))
    assert (body.cmd, body.tty) == (["true"], True)


@pytest.mark.parametrize(
    ("data", "content_type", "words"),
    [
        (b"{}", "text/plain", "unsupported Content-Type"),
        (b"{}", None, "unsupported Content-Type"),
        (b" ", "application/json", "got EOF"),
        (b"{", "application/json", "invalid JSON"),
        (b'{"Cmd": 3}', "application/json", "invalid JSON"),
        (b"[" * 100_000, "application/json", "invalid JSON"),
    ],
)
def test_a_body_without_valid_json_is_refused(
    data: bytes, content_type: str | None, words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        asyncio.run(with_body(data, content_type).body(ExecBody))


@pytest.mark.parametrize("data", [b"", b"null", b" null "])
def test_an_absent_body_can_have_a_default(data: bytes) -> None:
    empty = ExecStartBody()
    assert asyncio.run(with_body(data, None).body(ExecStartBody, empty=empty)) is empty


def test_a_body_that_never_ends_is_refused() -> None:
    with pytest.raises(BadRequest, match="too large"):
        asyncio.run(with_body(bytes(17 << 20)).read())


def test_invalid_utf_8_in_names_is_replaced_in_the_answer() -> None:
    assert json.loads(encode({"Path": "a\udcff", "n": 1})) == {"Path": "a\ufffd", "n": 1}

# SPDX-License-Identifier: MIT
"""Errors in the format of Docker's API."""

from __future__ import annotations

import json

import pytest

from sandbox.api.errors import ApiError, BadRequest, message_of, problem_response, status_of
from sandbox.errors import Conflict, ContainerNotFound, SandboxError, UsageError


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (ApiError(501, "x"), 501),
        (BadRequest("x"), 400),
        (ContainerNotFound("x"), 404),
        (Conflict("x"), 409),
        (UsageError("x"), 400),
        (SandboxError("x"), 500),
    ],
)
def test_each_error_has_the_status_that_clients_expect(problem: SandboxError, status: int) -> None:
    assert status_of(problem) == status


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no such container: a", "No such container: a"),
        ("could not find the file /x", "Could not find the file /x"),
        ("the container name /a is in use", "Conflict. The container name /a is in use"),
        ("disk full", "disk full"),
    ],
)
def test_messages_have_the_words_that_clients_match(text: str, told: str) -> None:
    assert message_of(SandboxError(text)) == told


def test_an_error_is_one_line_of_json_even_with_invalid_utf_8() -> None:
    answer = problem_response(404, "no file \udcff", {"Api-Version": "1.47"})
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body) == {"message": "no file \ufffd"}
    assert answer.body.endswith(b"\n")
    assert (answer.status, answer.headers["Api-Version"]) == (404, "1.47")

# SPDX-License-Identifier: MIT
"""What went wrong, as Docker's API says it: a status and one line of JSON.

Rules: every `SandboxError` is told, with the words clients look for; anything else is a bug
of ours, told without its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(SandboxError):
    """An error of the API itself, with its status."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status


class BadRequest(ApiError):  # noqa: N818 - the vocabulary of HTTP
    """A request that makes no sense."""

    def __init__(self, message: str) -> None:
        """Keep the line."""
        super().__init__(400, message)


class NotModified(Exception):  # noqa: N818 - the vocabulary of HTTP
    """The object is in the wanted state already."""


def status_of(problem: SandboxError) -> int:
    """Return the HTTP status of a failure."""
    if isinstance(problem, ApiError):
        return problem.status
    return problem.http_status


def message_of(problem: SandboxError) -> str:
    """Return the line in Docker's spelling.

    >>> message_of(SandboxError("no such container: web"))
    'No such container: web'
    """
    text = problem.message
    if text.startswith("the container name "):
        return f"Conflict. T{text[1:]}"
    if text.startswith(("no such ", "could not find the file ")):
        return text[0].upper() + text[1:]
    return text


def problem_response(status: int, message: str, headers: Mapping[str, str]) -> web.Response:
    """Return the answer that tells a failure."""
    body = msgspec.json.encode({"message": printable(message)}) + b"\n"
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def printable(text: str) -> str:
    """Return *text* without lone surrogates, which JSON cannot hold.

    >>> printable(chr(0xDCFF)) == chr(0xFFFD)
    True
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

# SPDX-License-Identifier: MIT
"""Errors in the form of Docker's API: a status and one line of JSON.

Rules: every `SandboxError` is reported in the words that clients look for. Any other
exception is a bug, reported without its traceback.
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
    """A malformed request."""

    def __init__(self, message: str) -> None:
        """Keep the line."""
        super().__init__(400, message)


class NotModified(Exception):  # noqa: N818 - the vocabulary of HTTP
    """The object is already in the requested state."""


def status_of(problem: SandboxError) -> int:
    """Return the HTTP status of a failure."""
    if isinstance(problem, ApiError):
        return problem.status
    return problem.http_status


def message_of(problem: SandboxError) -> str:
    """Return the message in Docker's spelling.

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
    """Return the answer that reports a failure."""
    body = msgspec.json.encode({"message": printable(message)}) + b"\n"
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def printable(text: str) -> str:
    """Return *text* without lone surrogates, which JSON cannot hold.

    >>> printable(chr(0xDCFF)) == chr(0xFFFD)
    True
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

# SPDX-License-Identifier: MIT
"""Find the handler of a request, and turn its exceptions into answers.

Rules: the path may begin with ``/v1.NN``. Every answer carries the headers by which clients
recognise a Docker daemon. A bug yields a line of JSON to the client and a traceback in the
server's log.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.api.call import Call, State
from sandbox.api.errors import ApiError, NotModified, message_of, problem_response, status_of
from sandbox.api.streams.hijack import Gone, Silent
from sandbox.errors import SandboxError
from sandbox.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sandbox.api.access import Access

API_VERSION = (1, 44)
OLDEST_VERSION = (1, 24)
_PREFIX = re.compile(r"/v([0-9]{1,4})\.([0-9]{1,4})(?=/|$)")
LOG = logging.getLogger("sandbox.api")


def version_text(version: tuple[int, int]) -> str:
    """Return a version in the notation of clients."""
    return f"{version[0]}.{version[1]}"


HEADERS = {
    "Api-Version": version_text(API_VERSION),
    "Docker-Experimental": "false",
    "Ostype": "linux",
    "Server": f"sandbox/{VERSION} (linux)",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: ``{name}`` is a part of the path, ``{name:path}`` may contain slashes.

    *query* names the parameters, each with its type: ``all:boolean limit:integer``.
    """

    method: str
    path: str
    handler: Callable[[Call], Awaitable[web.StreamResponse]]
    query: str = ""
    body: type | None = None
    success: int = 200
    summary: str = ""

    def pattern(self) -> re.Pattern[str]:
        """Return the regular expression of the path."""
        parts = re.split(r"\{(\w+)(:path)?\}", self.path)
        text = ""
        for literal, name, kind in zip(
            parts[::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True
        ):
            text += re.escape(literal)
            if name:
                text += f"(?P<{name}>{'.+' if kind else '[^/]+'})"
        return re.compile(text)


class Dispatcher:
    """Answers every request of one server."""

    def __init__(self, routes: Sequence[Route], state: State, access: Access | None) -> None:
        """Serve *routes* to those whom *access* lets in; None lets everybody in."""
        self._table = [(route, route.pattern()) for route in routes]
        self._state = state
        self._access = access
        self.active = 0
        self.on_idle: Callable[[bool], None] = lambda _: None

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.active += 1
        self.on_idle(False)
        try:
            return await self._answer(request)
        finally:
            self.active -= 1
            self.on_idle(self.active == 0)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            if self._access is not None:
                self._access.check(request)
            route, call = self._find(request)
            if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
                request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await route.handler(call)
        except NotModified:
            return web.Response(status=304, headers=HEADERS)
        except SandboxError as exc:
            return problem_response(status_of(exc), message_of(exc), HEADERS)
        except (Gone, ConnectionError):
            return Silent()
        except Exception as exc:
            LOG.exception("%s %s", request.method, request.rel_url)
            return problem_response(500, f"internal error: {type(exc).__name__}", HEADERS)

    def _find(self, request: web.BaseRequest) -> tuple[Route, Call]:
        path = request.path
        version = API_VERSION
        match = _PREFIX.match(path)
        if match is not None:
            version = (int(match[1]), int(match[2]))
            path = path[match.end() :] or "/"
            _check_version(version)
        method = "GET" if request.method == "HEAD" else request.method
        for route, pattern in self._table:
            if route.method not in (request.method, method):
                continue
            found = pattern.fullmatch(path)
            if found is not None:
                return route, Call(request, self._state, found.groupdict(), version, dict(HEADERS))
        raise ApiError(404, "page not found")


def _check_version(version: tuple[int, int]) -> None:
    shown = version_text(version)
    if version > API_VERSION:
        raise ApiError(
            400,
            f"client version {shown} is too new. "
            f"Maximum supported API version is {version_text(API_VERSION)}",
        )
    if version < OLDEST_VERSION:
        raise ApiError(
            400,
            f"client version {shown} is too old. Minimum supported API version is "
            f"{version_text(OLDEST_VERSION)}, please upgrade your client to a newer version",
        )

# SPDX-License-Identifier: MIT
"""One request as a handler sees it, and the state that all handlers share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aiohttp import web

from sandbox.api import query
from sandbox.api.bodies import spelled
from sandbox.api.errors import BadRequest

if TYPE_CHECKING:
    from sandbox.api.containers.attach_streams import Attachments
    from sandbox.api.containers.exec_processes import Execs
    from sandbox.api.events.feed import Hub
    from sandbox.api.events.inotify import Changes
    from sandbox.api.thread_pools import Work
    from sandbox.engine import Engine

_T = TypeVar("_T")
_LONGEST_BODY = 16 * 1024 * 1024
_JSON = "application/json"


@dataclass(eq=False)
class State:
    """The state of one server."""

    engine: Engine
    work: Work
    changes: Changes
    hub: Hub
    attachments: Attachments
    execs: Execs
    address: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Call:
    """A request: *args* are the parts of its path, *version* is its API version."""

    request: web.BaseRequest
    state: State
    args: dict[str, str]
    version: tuple[int, int]
    headers: dict[str, str]

    @property
    def engine(self) -> Engine:
        """Return the engine, to be called in a thread."""
        return self.state.engine

    @property
    def work(self) -> Work:
        """Return the threads."""
        return self.state.work

    @property
    def is_gone(self) -> bool:
        """Tell whether the client has closed the connection."""
        transport = self.request.transport
        return transport is None or transport.is_closing()

    @property
    def agent(self) -> str:
        """Return the User-Agent of the client."""
        return self.request.headers.get("User-Agent", "")

    # ---- the query string -----------------------------------------------------------------

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter."""
        return self.request.query.get(name, default)

    def texts(self, name: str) -> list[str]:
        """Return a repeated parameter."""
        return list(self.request.query.getall(name, []))

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean parameter."""
        found = self.request.query.get(name)
        return default if found is None else query.truth(found)

    def number(self, name: str) -> int | None:
        """Return a whole number, or None if the parameter is absent."""
        found = self.request.query.get(name, "")
        return query.number(found, name) if found else None

    def filters(self) -> query.Filters:
        """Return the parameter ``filters``."""
        return query.filters(self.request.query.get("filters", ""))

    # ---- the body -------------------------------------------------------------------------

    async def read(self) -> bytes:
        """Return the whole body, up to the size limit of a document."""
        data = bytearray()
        async for piece in self.request.content.iter_chunked(65536):
            data += piece
            if len(data) > _LONGEST_BODY:
                raise BadRequest("request body too large")
        return bytes(data)

    async def body(self, kind: type[_T], *, empty: _T | None = None) -> _T:
        """Return the JSON body; *empty* replaces an absent one, which is an error without it."""
        data = await self.read()
        if data.strip() in (b"", b"null") and empty is not None:
            return empty
        content_type = self.request.headers.get("Content-Type", "").partition(";")[0].strip()
        if content_type.lower() != _JSON and (data or content_type):
            raise BadRequest(
                f"unsupported Content-Type header ({content_type}): must be 'application/json'"
            )
        if not data.strip():
            raise BadRequest("invalid JSON: got EOF while reading request body")
        try:
            return msgspec.convert(spelled(msgspec.json.decode(data), kind), kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as exc:
            raise BadRequest(f"invalid JSON: {exc}") from None

    # ---- the answer -----------------------------------------------------------------------

    def json(self, document: Any, status: int = 200) -> web.Response:
        """Return an answer of JSON."""
        return web.Response(
            status=status,
            body=encode(document) + b"\n",
            content_type=_JSON,
            headers=self.headers,
        )

    def empty(self, status: int = 204) -> web.Response:
        """Return an answer without a body."""
        return web.Response(status=status, headers=self.headers)

    async def stream(self, content_type: str = _JSON, status: int = 200) -> web.StreamResponse:
        """Send the head of an answer at once and return it; the body follows."""
        response = web.StreamResponse(status=status, headers=self.headers)
        response.content_type = content_type
        if self.request.version >= (1, 1):
            response.enable_chunked_encoding()
        await response.prepare(self.request)
        return response


Handler = "Callable[[Call], Awaitable[web.StreamResponse]]"


def encode(document: Any) -> bytes:
    """Return JSON; bytes that are not UTF-8 become a replacement character."""
    try:
        return msgspec.json.encode(document)
    except (UnicodeError, msgspec.MsgspecError):
        import json

        text = json.dumps(msgspec.to_builtins(document), ensure_ascii=False)
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()

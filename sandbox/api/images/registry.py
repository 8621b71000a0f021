# SPDX-License-Identifier: MIT
"""Search, login and distribution; the credentials of a request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec

from sandbox.api.bodies import AuthBody
from sandbox.api.errors import ApiError, BadRequest
from sandbox.errors import AuthFailed

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.registry.credentials import Credentials


def credentials_of(call: Call) -> Credentials | None:
    """Return the credentials of X-Registry-Auth, or None if it holds none."""
    from sandbox.registry.credentials import Credentials

    text = call.request.headers.get("X-Registry-Auth", "")
    if not text:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        body = msgspec.json.decode(base64.urlsafe_b64decode(padded) or b"{}", type=AuthBody)
    except (ValueError, msgspec.MsgspecError):
        raise BadRequest("invalid X-Registry-Auth header") from None
    if not (body.username or body.identitytoken):
        return None
    return Credentials(body.username or "", body.password or "", body.identitytoken or "")


async def search(call: Call) -> web.StreamResponse:
    """``GET /images/search``."""
    term = call.text("term")
    if not term:
        raise BadRequest("the parameter term is needed")
    found = await call.work.act(
        call.engine.registries.search, term, limit=call.number("limit") or 25
    )
    return call.json(found)


async def auth(call: Call) -> web.StreamResponse:
    """``POST /auth``: check credentials; the client stores them, not the server."""
    body = await call.body(AuthBody)
    where = body.serveraddress
    try:
        await call.work.act(
            call.engine.registries.check_login, where, body.username or "", body.password or ""
        )
    except AuthFailed:
        place = (where or "https://index.docker.io/v1/").rstrip("/")
        text = f"login attempt to {place}/v2/ failed with status: 401 Unauthorized"
        raise ApiError(401, text) from None
    return call.json({"Status": "Login Succeeded", "IdentityToken": ""})


async def distribution(call: Call) -> web.StreamResponse:
    """``GET /distribution/{name}/json``."""
    found = await call.work.act(
        call.engine.registries.distribution, call.args["name"], credentials=credentials_of(call)
    )
    return call.json(found)

# SPDX-License-Identifier: MIT
"""Copy files of containers: archive (HEAD, GET, PUT) and export."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.api.call import encode
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.images.archives import send_tar, spool
from sandbox.runtime.logs.writer import stamp
from sandbox.store.atomic_files import workspace

if TYPE_CHECKING:
    from sandbox.api.call import Call
    from sandbox.engine.containers.tree import PathStat

_STAT = "X-Docker-Container-Path-Stat"
# Go's os.FileMode has its own high bits for types and set-id bits.
_GO_TYPES = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
}
_GO_BITS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}


def go_mode(mode: int) -> int:
    """Return a mode in Go's encoding.

    >>> oct(go_mode(0o100644)), go_mode(0o040755) == (1 << 31 | 0o755)
    ('0o644', True)
    """
    found = mode & 0o777 | _GO_TYPES.get(stat.S_IFMT(mode), 0)
    for bit, go_bit in _GO_BITS.items():
        found |= go_bit if mode & bit else 0
    return found


def _path(call: Call) -> str:
    path = call.text("path")
    if not path:
        raise BadRequest("missing parameter: path")
    if "\0" in path:
        raise BadRequest("invalid parameter: path contains a NUL byte")
    return path


async def _stat(call: Call) -> str:
    found: PathStat = await call.work.act(
        call.engine.containers.path_stat, call.args["name"], _path(call)
    )
    document = {
        "name": found.name,
        "size": found.size,
        "mode": go_mode(found.mode),
        "mtime": stamp(max(0, found.mtime_ns)),
        "linkTarget": found.link,
    }
    return base64.b64encode(encode(document)).decode("ascii")


async def head(call: Call) -> web.StreamResponse:
    """``HEAD /containers/{name}/archive``."""
    return web.Response(headers={**call.headers, _STAT: await _stat(call)})


async def get(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/archive``."""
    path = _path(call)
    shown = await _stat(call)
    name = call.args["name"]
    container = await call.work.look(call.engine.containers.get, name)
    if container.state.is_running:
        return await send_tar(
            call,
            lambda write: call.engine.containers.get_archive(name, path, write),
            **{_STAT: shown},
        )
    # The container cannot start meanwhile; a slow client must not decide for how long.
    with workspace(call.engine.layout) as scratch:
        spooled = scratch / "archive"

        def collect() -> None:
            with spooled.open("xb") as file:
                call.engine.containers.get_archive(name, path, file.write)

        await call.work.act(collect)
        call.headers[_STAT] = shown
        response = await call.stream("application/x-tar")
        with spooled.open("rb") as file:
            while piece := file.read(256 * 1024):
                await response.write(piece)
        await response.write_eof()
        return response


async def put(call: Call) -> web.StreamResponse:
    """``PUT /containers/{name}/archive``."""
    path, name = _path(call), call.args["name"]
    as_user = call.flag("copyUIDGID")
    found = await call.work.act(call.engine.containers.path_stat, name, path.rstrip("/") + "/")
    if not stat.S_ISDIR(found.mode):
        raise ApiError(400, "extraction point is not a directory")
    with workspace(call.engine.layout) as scratch:
        body = await spool(call, scratch)

        def act() -> None:
            with body.open("rb") as file:
                if file.seek(0, os.SEEK_END):  # an empty body is an empty archive
                    file.seek(0)
                    call.engine.containers.put_archive(name, path, file.read, as_user=as_user)

        await call.work.act(act)
    return call.empty(200)


async def export(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/export``."""
    name = call.args["name"]
    await call.work.look(call.engine.containers.get, name)
    return await send_tar(call, lambda write: call.engine.containers.export(name, write))

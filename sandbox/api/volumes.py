# SPDX-License-Identifier: MIT
"""The endpoints of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.api.bodies import VolumeBody
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.query import as_flags, flag_filter
from sandbox.engine.volumes import (
    describe_volume,
)

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call


async def list_all(call: Call) -> web.StreamResponse:
    """``GET /volumes``."""
    wanted = as_flags(call.filters())

    def look() -> list[dict[str, Any]]:
        return [describe_volume(item) for item in call.engine.volumes.list(wanted)]

    return call.json({"Volumes": await call.work.look(look), "Warnings": None})


async def create(call: Call) -> web.StreamResponse:
    """``POST /volumes/create``."""
    body = await call.body(VolumeBody)
    driver = body.driver or "local"
    if driver != "local":
        raise ApiError(
            404,
            f"create {body.name or ''}: error looking up volume plugin {driver}: "
            f'plugin "{driver}" not found',
        )
    if body.driver_opts:
        raise BadRequest("options of the local driver mount file systems, which needs privileges")
    volume = await call.work.act(call.engine.volumes.create, body.name or "", body.labels or {})
    return call.json(describe_volume(volume), 201)


async def inspect(call: Call) -> web.StreamResponse:
    """``GET /volumes/{name}``."""
    return call.json(await call.work.look(call.engine.volumes.inspect, call.args["name"]))


async def remove(call: Call) -> web.StreamResponse:
    """``DELETE /volumes/{name}``."""
    await call.work.act(call.engine.volumes.remove, call.args["name"], force=call.flag("force"))
    return call.empty()


async def prune(call: Call) -> web.StreamResponse:
    """``POST /volumes/prune``: anonymous volumes, or all with the filter ``all``."""
    wanted = call.filters()
    # Before API 1.42 this removed named volumes, too.
    everything = flag_filter(wanted, "all")
    if everything is None:
        everything = call.version < (1, 42)
    rest = as_flags({key: values for key, values in wanted.items() if key != "all"})

    pruned = await call.work.act(call.engine.volumes.prune, everything=everything, filters=rest)
    return call.json({"VolumesDeleted": pruned.volumes or None, "SpaceReclaimed": pruned.freed})

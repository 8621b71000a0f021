# SPDX-License-Identifier: MIT
"""The endpoints of volumes, and what takes room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.api.bodies import VolumeBody
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.query import as_flags, flag_filter
from sandbox.engine.imageview import summarize_image
from sandbox.engine.inspection import (
    describe_volume,
    link_names,
    summarize_container,
)
from sandbox.models.filters import volume_filter
from sandbox.models.oci import moment_text

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.engine.measuring import BuildUsage


async def list_all(call: Call) -> web.StreamResponse:
    """``GET /volumes``."""
    wanted = as_flags(call.filters())

    def look() -> list[dict[str, Any]]:
        engine = call.engine
        matches = volume_filter(wanted, lambda name: bool(engine.volume_users(name)))
        return [describe_volume(item) for item in engine.volumes() if matches(item)]

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
    volume = await call.work.act(call.engine.create_volume, body.name or "", body.labels or {})
    return call.json(describe_volume(volume), 201)


async def inspect(call: Call) -> web.StreamResponse:
    """``GET /volumes/{name}``."""
    return call.json(describe_volume(await call.work.look(call.engine.volume, call.args["name"])))


async def remove(call: Call) -> web.StreamResponse:
    """``DELETE /volumes/{name}``."""
    await call.work.act(call.engine.remove_volume, call.args["name"], force=call.flag("force"))
    return call.empty()


async def prune(call: Call) -> web.StreamResponse:
    """``POST /volumes/prune``: anonymous ones, or all with the filter ``all``."""
    wanted = call.filters()
    # Before API 1.42 named volumes went, too.
    everything = flag_filter(wanted, "all")
    if everything is None:
        everything = call.version < (1, 42)
    rest = as_flags({key: values for key, values in wanted.items() if key != "all"})

    removed, freed = await call.work.act(
        call.engine.prune_volumes, everything=everything, filters=rest
    )
    return call.json({"VolumesDeleted": removed or None, "SpaceReclaimed": freed})


async def disk(call: Call) -> web.StreamResponse:
    """``GET /system/df``."""

    def look() -> dict[str, Any]:
        engine = call.engine
        usage = engine.disk_usage()
        seats, networks = engine.seats(), engine.networks()
        links = link_names(one.container for one in usage.containers)
        return {
            "LayersSize": usage.images_size,
            "Images": [
                summarize_image(one.image)
                | {
                    "Size": one.shared + one.unique,
                    "SharedSize": one.shared,
                    "Containers": one.containers,
                }
                for one in usage.images
                if not one.image.is_host
            ],
            "Containers": [
                summarize_container(one.container, seats, networks, links)
                | engine.container_sizes(one.container)
                | {"SizeRw": one.size}
                for one in usage.containers
            ],
            "Volumes": [
                describe_volume(one.volume)
                | {"UsageData": {"Size": one.size, "RefCount": one.links}}
                for one in usage.volumes
            ],
            "BuildCache": [_cached(one) for one in usage.builds],
            "BuilderSize": usage.builds_size,
        }

    return call.json(await call.work.act(look))


def _cached(one: BuildUsage) -> dict[str, Any]:
    """Describe what builds remember; how often it was used is not counted."""
    return {
        "ID": one.item.id,
        "Type": one.item.kind,
        "Description": one.item.description,
        "InUse": False,
        "Shared": one.shared,
        "Size": one.size,
        "CreatedAt": moment_text(one.item.created),
        "LastUsedAt": moment_text(one.item.last_used),
        "UsageCount": 0,
    }

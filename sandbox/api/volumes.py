# SPDX-License-Identifier: MIT
"""The endpoints of volumes, and what takes room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.api.errors import BadRequest
from sandbox.api.models import VolumeBody
from sandbox.api.query import as_flags, flag_filter
from sandbox.engine.inspection import describe_volume, summarize_container, summarize_image
from sandbox.models.choosing import volume_filter
from sandbox.store.usage import disk_usage

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call


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
        raise BadRequest(
            f"create {body.name or ''}: error looking up volume plugin {driver}: "
            f'plugin "{driver}" not found'
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

    def act() -> tuple[list[str], int]:
        engine = call.engine
        matches = volume_filter(rest, lambda name: bool(engine.volume_users(name)))
        removed, freed = [], 0
        for item in engine.volumes():
            if (everything or item.anonymous) and matches(item):
                size = _size(item.path)
                removed += engine.prune_volumes(everything=True, only=item.name)
                freed += size if item.name in removed else 0
        return removed, freed

    removed, freed = await call.work.act(act)
    return call.json({"VolumesDeleted": removed or None, "SpaceReclaimed": freed})


def _size(path: str) -> int:
    from pathlib import Path

    return disk_usage([Path(path)])


async def disk(call: Call) -> web.StreamResponse:
    """``GET /system/df``."""

    def look() -> dict[str, Any]:
        engine = call.engine
        usage = engine.disk_usage()
        seats, networks = engine.seats(), engine.networks()
        images = []
        for one in usage.images:
            if one.image.is_host:
                continue
            shown = summarize_image(one.image)
            shown |= {"SharedSize": one.shared, "Containers": one.containers}
            images.append(shown)
        containers = [
            summarize_container(one.container, seats, networks)
            | engine.container_sizes(one.container)
            for one in usage.containers
        ]
        volumes = []
        for volume in engine.volumes():
            users = len(engine.volume_users(volume.name))
            size = _size(volume.path)
            shown = describe_volume(volume) | {"UsageData": {"Size": size, "RefCount": users}}
            volumes.append(shown)
        return {
            "LayersSize": usage.images_size,
            "Images": images,
            "Containers": containers,
            "Volumes": volumes,
            "BuildCache": [],
            "BuilderSize": 0,
        }

    return call.json(await call.work.act(look))

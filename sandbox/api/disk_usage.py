# SPDX-License-Identifier: MIT
"""``GET /system/df``: the disk usage of images, containers, volumes and the build cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.containers.inspect import link_names, summarize_container
from sandbox.engine.images.inspect import summarize_image
from sandbox.engine.volumes import describe_volume
from sandbox.models.oci import moment_text

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.engine.system.df import BuildUsage


async def disk(call: Call) -> web.StreamResponse:
    """``GET /system/df``."""

    def look() -> dict[str, Any]:
        engine = call.engine
        usage = engine.system.df()
        members, networks = engine.networks.memberships(), engine.networks.list()
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
                summarize_container(one.container, members, networks, links)
                | engine.containers.sizes(one.container)
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
    """Describe the build cache; how often an entry was used is not counted."""
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

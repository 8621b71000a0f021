# SPDX-License-Identifier: MIT
"""``system df``: Docker's four rows, its detailed tables, and its JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.containers.ps import describe
from sandbox.cli.images.images import image_rows
from sandbox.cli.output.format import Column, emit, human_size, render, render_objects, table
from sandbox.engine import Engine
from sandbox.models.timestamps import human_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.engine.system.df import BuildUsage, ContainerUsage, ImageUsage, Usage, VolumeUsage
    from sandbox.runtime.network.members import Member

_COLUMNS = (
    Column("TYPE", "Type"),
    Column("TOTAL", "TotalCount"),
    Column("ACTIVE", "Active"),
    Column("SIZE", "Size"),
    Column("RECLAIMABLE", "Reclaimable"),
)
_TABLES: dict[str, tuple[Column, ...]] = {
    "Images": (
        Column("REPOSITORY", "Repository"),
        Column("TAG", "Tag"),
        Column("IMAGE ID", "ID"),
        Column("CREATED", "CreatedSince"),
        Column("SIZE", "Size"),
        Column("SHARED SIZE", "SharedSize"),
        Column("UNIQUE SIZE", "UniqueSize"),
        Column("CONTAINERS", "Containers"),
    ),
    "Containers": (
        Column("CONTAINER ID", "ID"),
        Column("IMAGE", "Image"),
        Column("COMMAND", "Command"),
        Column("LOCAL VOLUMES", "LocalVolumes"),
        Column("SIZE", "Size"),
        Column("CREATED", "RunningFor"),
        Column("STATUS", "Status"),
        Column("NAMES", "Names"),
    ),
    "Volumes": (
        Column("VOLUME NAME", "Name"),
        Column("LINKS", "Links"),
        Column("SIZE", "Size"),
    ),
    "BuildCache": (
        Column("CACHE ID", "ID"),
        Column("CACHE TYPE", "CacheType"),
        Column("SIZE", "Size"),
        Column("CREATED", "CreatedSince"),
        Column("LAST USED", "LastUsedSince"),
        Column("USAGE", "UsageCount"),
        Column("SHARED", "Shared"),
    ),
}


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="Show every image, container and volume.")
@click.option("--format", "template", metavar="TEMPLATE", help="'json' or a Go template.")
def df(*, verbose: bool, template: str | None) -> None:
    """Show the disk usage of the store."""
    engine = Engine()
    usage = engine.system.df()
    if not verbose:
        headings = {column.field: column.heading for column in _COLUMNS}
        emit(render(_rows(usage), _COLUMNS, template=template, headings=headings))
        if usage.removed_size and template is None:
            emit(f"\n{human_size(usage.removed_size, 4)} of removed objects are being deleted")
        return
    whole = template is not None
    rows = _everything(usage, engine.networks.memberships(), whole=whole)
    emit(render_objects([_struct(rows)], template) if whole else _details(rows, usage))


def _rows(usage: Usage) -> list[dict[str, Any]]:
    images = [item for item in usage.images if not item.image.is_host]
    running = sum(item.container.state.is_running for item in usage.containers)
    used = sum(item.containers > 0 for item in images)
    linked = sum(item.links > 0 for item in usage.volumes)
    return [
        _row("Images", len(images), used, usage.images_size, usage.images_reclaimable),
        _row(
            "Containers",
            len(usage.containers),
            running,
            usage.containers_size,
            usage.containers_reclaimable,
        ),
        _row(
            "Local Volumes",
            len(usage.volumes),
            linked,
            usage.volumes_size,
            usage.volumes_reclaimable,
        ),
        _row("Build Cache", len(usage.builds), 0, usage.builds_size, usage.builds_size),
    ]


def _row(kind: str, total: int, active: int, size: int, reclaimable: int) -> dict[str, Any]:
    share = f" ({100 * reclaimable // size}%)" if size and reclaimable else ""
    return {
        "Type": kind,
        "TotalCount": str(total),
        "Active": str(active),
        "Size": human_size(size, 4),
        "Reclaimable": human_size(reclaimable, 4) + share,
    }


def _everything(
    usage: Usage, members: Mapping[str, Member], *, whole: bool
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table; with *whole*, ids are not shortened."""
    return {
        "Images": [_image(item, whole=whole) for item in usage.images if not item.image.is_host],
        "Containers": [_container(item, members, whole=whole) for item in usage.containers],
        "Volumes": [_volume(item) for item in usage.volumes],
        "BuildCache": [_build(item, whole=whole) for item in usage.builds],
    }


def _image(item: ImageUsage, *, whole: bool) -> dict[str, Any]:
    row = image_rows(item.image, long=whole, digests=False)[0]
    return {
        **row,
        "Size": human_size(item.shared + item.unique, 4),
        "SharedSize": human_size(item.shared, 4),
        "UniqueSize": human_size(item.unique, 4),
        "Containers": str(item.containers),
    }


def _container(
    item: ContainerUsage, members: Mapping[str, Member], *, whole: bool
) -> dict[str, Any]:
    row = describe(item.container, members, long=whole, size=0)
    del row["Label"]
    return {**row, "Size": human_size(item.size, 4)}


def _volume(item: VolumeUsage) -> dict[str, Any]:
    return {
        "Name": item.volume.name,
        "Driver": "local",
        "Labels": ",".join(f"{key}={value}" for key, value in item.volume.labels.items()),
        "Links": str(item.links),
        "Mountpoint": item.volume.data,
        "Scope": "local",
        "Size": human_size(item.size, 4),
    }


def _build(item: BuildUsage, *, whole: bool) -> dict[str, Any]:
    now = time.time()
    return {
        "ID": item.item.id if whole else item.item.id[:12],
        "CacheType": item.item.kind,
        "Description": item.item.description,
        "InUse": "false",
        "Shared": str(item.shared).lower(),
        "Size": human_size(item.size, 4),
        "CreatedSince": f"{human_duration(now - item.item.created)} ago",
        "LastUsedSince": f"{human_duration(now - item.item.last_used)} ago",
        "UsageCount": "0",
    }


def _details(rows: dict[str, list[dict[str, Any]]], usage: Usage) -> str:
    titles = {
        "Images": "Images space usage:",
        "Containers": "Containers space usage:",
        "Volumes": "Local Volumes space usage:",
        "BuildCache": f"Build cache usage: {human_size(usage.builds_size, 4)}",
    }
    parts = []
    for kind, columns in _TABLES.items():
        cells = [[str(row[column.field]) for column in columns] for row in rows[kind]]
        parts.append(f"{titles[kind]}\n\n{table([c.heading for c in columns], cells)}\n")
    other, spare = human_size(usage.other_size, 4), human_size(usage.other_reclaimable, 4)
    last = f"Other files of the store: {other} ({spare} reclaimable)"
    if usage.removed_size:
        last += f", {human_size(usage.removed_size, 4)} of them removed objects"
    return "\n".join([*parts, last])


def _struct(rows: dict[str, list[dict[str, Any]]]) -> Any:
    from sandbox.cli.output.template_functions import Struct

    return Struct({kind: [Struct(row) for row in found] for kind, found in rows.items()})

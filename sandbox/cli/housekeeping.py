"""``image prune``, ``system df`` and ``system prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.format import Column, emit, human_size, render, table
from sandbox.engine import Engine
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from sandbox.engine.housekeeping import Pruned, Usage

_COLUMNS = (
    Column("TYPE", "Type"),
    Column("TOTAL", "TotalCount"),
    Column("ACTIVE", "Active"),
    Column("SIZE", "Size"),
    Column("RECLAIMABLE", "Reclaimable"),
)

_force = click.option("-f", "--force", is_flag=True, help="Do not ask.")
_filter = click.option(
    "--filter", "filters", multiple=True, metavar="KEY=VALUE", help="Choose (until=, label=)."
)


@click.command("prune")
@click.option("-a", "--all", "everything", is_flag=True, help="All that no container uses.")
@click.option("--blobs", is_flag=True, help="Only layers' archives that a registry has, too.")
@_force
@_filter
def image_prune(*, everything: bool, blobs: bool, force: bool, filters: tuple[str, ...]) -> int:
    """Remove unused images.

    With --blobs no image is removed: only the compressed layers, which nothing but push
    and save needs, of images that came from a registry (they are fetched again then).
    """
    if blobs:
        doomed = "the archives of layers that a registry has"
    elif everything:
        doomed = "all images without at least one container associated to them"
    else:
        doomed = "all dangling images"
    if not _agreed(f"WARNING! This will remove {doomed}.", force=force):
        return 1
    pruned = Engine().prune_images(everything=everything, filters=filters, blobs=blobs)
    _show_pruned(pruned)
    return 0


@click.command("prune")
@click.option("-a", "--all", "everything", is_flag=True, help="All images without container.")
@click.option("--volumes", is_flag=True, help="Also anonymous volumes.")
@_force
@_filter
def system_prune(*, everything: bool, volumes: bool, force: bool, filters: tuple[str, ...]) -> int:
    """Remove stopped containers, unused images and what killed commands left."""
    if volumes and any(item.startswith("until=") for item in filters):
        raise UsageError('The "until" filter is not supported with "--volumes"')
    images = "all images without at least one container" if everything else "all dangling images"
    text = (
        "WARNING! This will remove:\n  - all stopped containers\n"
        f"  - all networks not used by at least one container\n  - {images}"
    )
    text += "\n  - all anonymous volumes not used by at least one container" * volumes
    if not _agreed(f"{text}\n  - layers, indexes and downloads that nothing uses\n", force=force):
        return 1
    from sandbox.engine.networkview import parse_prune_filters

    wanted = parse_prune_filters(
        item for item in filters if item.startswith(("label=", "label!=", "until="))
    )
    engine = Engine()
    pruned = engine.prune_system(everything=everything, filters=filters)
    pruned.networks = engine.prune_networks(wanted)
    gone = engine.prune_volumes(filters=filters) if volumes else []
    if gone:
        emit("Deleted Volumes:\n" + "\n".join(gone) + "\n")
    _show_pruned(pruned)
    return 0


def _agreed(text: str, *, force: bool) -> bool:
    if force:
        return True
    click.echo(text)
    return click.confirm("Are you sure you want to continue?", default=False)


def _show_pruned(pruned: Pruned) -> None:
    if pruned.containers:
        emit("Deleted Containers:\n" + "\n".join(pruned.containers) + "\n")
    if pruned.networks:
        emit("Deleted Networks:\n" + "\n".join(pruned.networks) + "\n")
    if pruned.untagged or pruned.deleted:
        lines = [f"untagged: {name}" for name in pruned.untagged]
        lines += [f"deleted: {name}" for name in pruned.deleted]
        emit("Deleted Images:\n" + "\n".join(lines) + "\n")
    emit(f"Total reclaimed space: {human_size(pruned.freed, 4)}")


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="Show every image and container.")
@click.option("--format", "template", metavar="TEMPLATE", help="'json' or a Go template.")
def df(*, verbose: bool, template: str | None) -> None:
    """Show how much room the store takes on disk."""
    usage = Engine().disk_usage()
    if verbose and template is None:
        emit(_details(usage))
        return
    headings = {column.field: column.heading for column in _COLUMNS}
    emit(render(_rows(usage), _COLUMNS, template=template, headings=headings))


def _rows(usage: Usage) -> list[dict[str, Any]]:
    images = [item for item in usage.images if not item.image.is_host]
    running = sum(item.container.state.is_running for item in usage.containers)
    return [
        _row(
            "Images",
            len(images),
            sum(item.containers > 0 for item in images),
            usage.images_size,
            usage.images_reclaimable,
        ),
        _row(
            "Containers",
            len(usage.containers),
            running,
            usage.containers_size,
            usage.containers_reclaimable,
        ),
        _row("Build Cache", usage.builds_count, 0, usage.builds_size, usage.builds_reclaimable),
        _row("Other", 0, 0, usage.other_size, usage.other_reclaimable),
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


def _details(usage: Usage) -> str:
    headings = ["REPOSITORY:TAG", "IMAGE ID", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"]
    images = [
        [
            (item.image.familiar_tags or ["<none>"])[0],
            item.image.short_id,
            *(human_size(size, 4) for size in (item.shared + item.unique, item.shared)),
            human_size(item.unique, 4),
            str(item.containers),
        ]
        for item in usage.images
    ]
    containers = [
        [
            item.container.config.short_id,
            item.container.config.image,
            human_size(item.size, 4),
            item.container.state.status,
            item.container.config.name,
        ]
        for item in usage.containers
    ]
    parts = [
        "Images space usage:\n",
        table(headings, images),
        "\nContainers space usage:\n",
        table(["CONTAINER ID", "IMAGE", "SIZE", "STATUS", "NAMES"], containers),
    ]
    return "\n".join(parts)

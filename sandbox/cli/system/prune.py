# SPDX-License-Identifier: MIT
"""``image prune`` and ``system prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.confirm import agrees
from sandbox.cli.output.format import emit, human_size
from sandbox.engine import Engine
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from sandbox.engine.pruned import Pruned

_force = click.option("-f", "--force", is_flag=True, help="Do not ask for confirmation.")
_filter = filter_option("label, label!, until", short=False)


@click.command("prune")
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Remove all images without containers."
)
@click.option(
    "--blobs", is_flag=True, help="Remove only compressed layers that a registry has, too."
)
@_force
@_filter
def image_prune(*, everything: bool, blobs: bool, force: bool, filters: tuple[str, ...]) -> None:
    """Remove unused images.

    With --blobs no image is removed, but only the compressed layers of images that came
    from a registry. Only push and save need them, and fetch them again.
    """
    if blobs:
        doomed = "the archives of layers that a registry has"
    elif everything:
        doomed = "all images without at least one container associated to them"
    else:
        doomed = "all dangling images"
    if not agrees(f"WARNING! This will remove {doomed}.", force=force):
        return
    pruned = Engine().images.prune(everything=everything, filters=filters, blobs=blobs)
    _show_pruned(pruned)


@click.command("prune")
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Remove all unused images and all build cache.",
)
@click.option("--volumes", is_flag=True, help="Include anonymous volumes.")
@_force
@_filter
def system_prune(*, everything: bool, volumes: bool, force: bool, filters: tuple[str, ...]) -> None:
    """Remove unused data: containers, networks, images, build cache, remnants."""
    if volumes and any(item.startswith("until=") for item in filters):
        raise UsageError('The "until" filter is not supported with "--volumes"')
    images = "all images without at least one container" if everything else "all dangling images"
    text = (
        "WARNING! This will remove:\n  - all stopped containers\n"
        f"  - all networks not used by at least one container\n  - {images}"
    )
    text += "\n  - all anonymous volumes not used by at least one container" * volumes
    text += f"\n  - {'all' if everything else 'unused'} build cache"
    text += "\n  - layers, indexes and downloads that nothing uses\n"
    if not agrees(text, force=force):
        return
    _show_pruned(Engine().system.prune(everything=everything, volumes=volumes, filters=filters))


def _show_pruned(pruned: Pruned) -> None:
    for title, names in (
        ("Deleted Containers", pruned.containers),
        ("Deleted Networks", pruned.networks),
        ("Deleted Volumes", pruned.volumes),
    ):
        if names:
            emit(f"{title}:\n" + "\n".join(names) + "\n")
    if pruned.untagged or pruned.deleted:
        lines = [f"untagged: {name}" for name in pruned.untagged]
        lines += [f"deleted: {name}" for name in pruned.deleted]
        emit("Deleted Images:\n" + "\n".join(lines) + "\n")
    if pruned.builds:
        emit("Deleted build cache objects:\n" + "\n".join(pruned.builds) + "\n")
    emit(f"Total reclaimed space: {human_size(pruned.freed, 4)}")

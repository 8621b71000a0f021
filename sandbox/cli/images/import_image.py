# SPDX-License-Identifier: MIT
"""``import``."""

from __future__ import annotations

import click

from sandbox.cli.output.format import emit
from sandbox.engine import Engine


@click.command("import")
@click.option(
    "-c",
    "--change",
    "changes",
    multiple=True,
    metavar="INSTRUCTION",
    help="Apply a Dockerfile instruction to the image.",
)
@click.option("-m", "--message", metavar="TEXT", help="Set the comment of the image's only step.")
@click.option(
    "--platform", metavar="OS/ARCH", help="Platform of the image: os/architecture[/variant]."
)
@click.argument("file", metavar="FILE|-")
@click.argument("reference", required=False, metavar="[REPOSITORY[:TAG]]")
def import_(
    *,
    changes: tuple[str, ...],
    message: str | None,
    platform: str | None,
    file: str,
    reference: str | None,
) -> None:
    """Import a tar of a root file system, compressed or not, as an image."""
    image_id = Engine().images.import_(
        file, reference=reference, changes=changes, message=message, platform=platform
    )
    emit(image_id)

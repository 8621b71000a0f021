# SPDX-License-Identifier: MIT
"""``load``."""

from __future__ import annotations

import click

from sandbox.cli.output.format import emit
from sandbox.engine import Engine


@click.command()
@click.option(
    "-i",
    "--input",
    "path",
    default="-",
    metavar="FILE",
    help="Read from an archive or an OCI directory instead of standard input.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--platform", metavar="OS/ARCH", help="Take only this platform of a multi-platform image."
)
def load(*, path: str, quiet: bool, platform: str | None) -> None:
    """Load images from an archive made by 'docker save' or in OCI format."""
    for image in Engine().images.load(path, platform=platform):
        for reference in image.references:
            emit(f"Loaded image: {reference.familiar}")
        if not image.references:
            emit(f"Loaded image ID: {image.id}")

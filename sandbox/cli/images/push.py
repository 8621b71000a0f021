# SPDX-License-Identifier: MIT
"""``push``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.output.format import emit
from sandbox.cli.output.transfer_progress import progress_shown
from sandbox.engine import Engine


@click.command()
@click.option("-a", "--all-tags", is_flag=True, help="Push every tag of the repository.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress; print the digest.")
@click.option("--disable-content-trust", is_flag=True, hidden=True)
@click.argument("name", metavar="NAME[:TAG]", shell_complete=complete_images)
def push(*, all_tags: bool, quiet: bool, disable_content_trust: bool, name: str) -> None:
    """Push an image to the registry in its name."""
    del disable_content_trust
    with progress_shown(quiet=quiet) as progress:
        sent = Engine().images.push(name, all_tags=all_tags, progress=progress)
    for item in sent:
        if quiet:
            emit(item.digest)
        else:
            emit(f"{item.reference.tag}: digest: {item.digest} size: {item.size}")

# SPDX-License-Identifier: MIT
"""``rmi``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.output.format import emit
from sandbox.engine import Engine
from sandbox.errors import NotFound, SandboxError


@click.command()
@click.option("-f", "--force", is_flag=True, help="Remove an image that is in use.")
@click.option("--no-prune", is_flag=True, help="No effect: there are no untagged parents.")
@click.argument(
    "names", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete_images
)
def rmi(*, force: bool, no_prune: bool, names: tuple[str, ...]) -> int:
    """Remove images."""
    engine = Engine()
    failed = False
    for name in names:
        try:
            removal = engine.images.remove(name, force=force)
        except SandboxError as exc:
            click.echo(f"sandbox: {exc.message}", err=True)
            failed = failed or not (force and isinstance(exc, NotFound))
            continue
        for reference in removal.untagged:
            emit(f"Untagged: {reference}")
        for digest in removal.deleted:
            emit(f"Deleted: {digest}")
    return int(failed)

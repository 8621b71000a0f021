# SPDX-License-Identifier: MIT
"""``tag``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_images
from sandbox.engine import Engine


@click.command()
@click.argument("source", metavar="SOURCE_IMAGE[:TAG]", shell_complete=complete_images)
@click.argument("target", metavar="TARGET_IMAGE[:TAG]")
def tag(*, source: str, target: str) -> None:
    """Give an image another name."""
    Engine().images.tag(source, target)

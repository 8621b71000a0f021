# SPDX-License-Identifier: MIT
"""``image diff``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.images.layer_report import shown_in_line
from sandbox.cli.output.format import emit
from sandbox.engine import Engine


@click.command("diff")
@click.option("-p", "--patch", is_flag=True, help="Show how texts differ.")
@click.argument("before", metavar="IMAGE", shell_complete=complete_images)
@click.argument("after", metavar="IMAGE", shell_complete=complete_images)
def image_diff(*, patch: bool, before: str, after: str) -> None:
    """Compare the files of two images: A added, C changed, D deleted.

    A different modification time alone does not count.
    """
    from sandbox.engine.images.diff import patch_of

    for item in Engine().images.diff(before, after):
        emit(f"{item.kind} /{shown_in_line(item.path)}")
        if patch:
            emit(patch_of(item), end="")

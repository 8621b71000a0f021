# SPDX-License-Identifier: MIT
"""``image explore``."""

from __future__ import annotations

import json
import sys

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.images.layer_report import file_lines, report_json, report_lines
from sandbox.cli.output.format import emit
from sandbox.engine import Engine
from sandbox.errors import UsageError


@click.command()
@click.option("--layer", type=int, metavar="N", help="List the files of this layer (1 is lowest).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.argument("image", shell_complete=complete_images)
def explore(*, layer: int | None, as_json: bool, image: str) -> None:
    """Explore the layers of an image: the files of each, and wasted space.

    On a terminal this is an interactive view: arrows choose a layer, space and b turn
    pages, q quits. Elsewhere it prints a report.
    """
    report = Engine().images.explore(image)
    if as_json:
        emit(json.dumps(report_json(report), indent=1))
    elif layer is not None:
        if not 1 <= layer <= len(report.layers):
            raise UsageError(f"{image} has {len(report.layers)} layers")
        for line in file_lines(report.layers[layer - 1]):
            emit(line)
    elif sys.stdout.isatty() and sys.stdin.isatty():
        from sandbox.cli.images.explore_view import show

        show(report)
    else:
        for line in report_lines(report):
            emit(line)

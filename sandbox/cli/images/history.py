# SPDX-License-Identifier: MIT
"""``history``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.output.format import Column, ellipsis, human_size, render
from sandbox.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.oci import History
from sandbox.cli.images.images import age_of, format_option, show

_STEP_COLUMNS = (
    Column("IMAGE", "ID"),
    Column("CREATED", "CreatedSince"),
    Column("CREATED BY", "CreatedBy"),
    Column("SIZE", "Size"),
    Column("COMMENT", "Comment"),
)

_STEP_HEADINGS = {
    **{column.field: column.heading for column in _STEP_COLUMNS},
    "CreatedAt": "CREATED AT",
}


@click.command()
@click.option(
    "-H", "--human/--no-human", default=True, help="Show sizes and dates in readable form."
)
@click.option("--no-trunc", is_flag=True, help="Do not shorten ids and commands.")
@click.option("-q", "--quiet", is_flag=True, help="Print only ids.")
@format_option
@click.argument("name", metavar="IMAGE", shell_complete=complete_images)
def history(*, human: bool, no_trunc: bool, quiet: bool, template: str | None, name: str) -> None:
    """Show the steps of an image."""
    engine = Engine()
    image = engine.images.get(name)
    image_id = image.id if no_trunc else image.short_id
    rows = [
        step_row(step, size, image_id=image_id if newest else "<missing>", human=human)
        for newest, (step, size) in _marked(engine.images.history(name))
    ]
    if not no_trunc:
        rows = [{**row, "CreatedBy": ellipsis(row["CreatedBy"], 45)} for row in rows]
    if quiet and template is None:
        template = "{{.ID}}"
    show(render(rows, _STEP_COLUMNS, template=template, headings=_STEP_HEADINGS))


def step_row(step: History, size: int, *, image_id: str, human: bool) -> dict[str, str]:
    """Return the row of one step; all fields are text."""
    return {
        "ID": image_id,
        "CreatedSince": age_of(step.created) if human else (step.created or ""),
        "CreatedAt": step.created or "",
        "CreatedBy": step.created_by.replace("\t", " ").replace("\n", " "),
        "Size": human_size(size) if human else str(size),
        "Comment": step.comment,
    }


def _marked(
    steps: Sequence[tuple[History, int]],
) -> list[tuple[bool, tuple[History, int]]]:
    """Return the steps, the newest marked."""
    return [(position == 0, step) for position, step in enumerate(steps)]

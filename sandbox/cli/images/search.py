# SPDX-License-Identifier: MIT
"""``search``."""

from __future__ import annotations

from typing import Any

import click

from sandbox.cli.output.format import Column, ellipsis, emit, render
from sandbox.engine import Engine
from sandbox.errors import UsageError

_SEARCH_COLUMNS = (
    Column("NAME", "Name"),
    Column("DESCRIPTION", "Description"),
    Column("STARS", "StarCount"),
    Column("OFFICIAL", "IsOfficial"),
)

_MATCHING = "Only those that match (is-official, stars)."


@click.command()
@click.option(
    "--limit",
    default=25,
    type=click.IntRange(1, 100),
    metavar="N",
    help="Maximal number of results (25).",
)
@click.option("--no-trunc", is_flag=True, help="Do not shorten descriptions.")
@click.option("-f", "--filter", "filters", multiple=True, metavar="KEY=VALUE", help=_MATCHING)
@click.option("--format", "template", metavar="TEMPLATE", help="'json' or a Go template.")
@click.argument("term")
def search(
    *, limit: int, no_trunc: bool, filters: tuple[str, ...], template: str | None, term: str
) -> None:
    """Search a registry (REGISTRY/TERM), by default Docker Hub."""
    passes = [_parse_filter(item) for item in filters]
    rows = []
    for item in Engine().registries.search(term, limit=limit):
        row = _search_row(item, long=no_trunc)
        if all(test(row) for test in passes):
            rows.append(row)
    headings = {column.field: column.heading for column in _SEARCH_COLUMNS}
    text = render(rows, _SEARCH_COLUMNS, template=template, headings=headings)
    if text:
        emit(text)


def _search_row(item: dict[str, Any], *, long: bool) -> dict[str, str]:
    text = str(item.get("description") or "").replace("\n", " ")
    return {
        "Name": str(item.get("name", "")),
        "Description": text if long else ellipsis(text, 45),
        "StarCount": str(item.get("star_count") or 0),
        "IsOfficial": "[OK]" if item.get("is_official") else "",
    }


def _parse_filter(text: str) -> Any:
    key, equals, value = text.partition("=")
    if equals and key == "stars" and value.isdecimal():
        return lambda row: int(row["StarCount"]) >= int(value)
    if equals and key == "is-official":
        return lambda row: bool(row["IsOfficial"]) == (value.lower() in ("true", "1"))
    raise UsageError(f"invalid filter '{text}'")

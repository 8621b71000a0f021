# SPDX-License-Identifier: MIT
"""``images``."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.output.format import Column, emit, human_size, render
from sandbox.engine import Engine
from sandbox.models.oci import seconds_of
from sandbox.models.reference import parse_reference
from sandbox.models.timestamps import human_duration

if TYPE_CHECKING:
    from sandbox.models.image import Image

_NONE = "<none>"
_REPOSITORY = Column("REPOSITORY", "Repository")
_TAG = Column("TAG", "Tag")
_DIGEST = Column("DIGEST", "Digest")
_REST = (
    Column("IMAGE ID", "ID"),
    Column("CREATED", "CreatedSince"),
    Column("SIZE", "Size"),
)
_IMAGE_HEADINGS = {
    **{item.field: item.heading for item in (_REPOSITORY, _TAG, _DIGEST, *_REST)},
    "CreatedAt": "CREATED AT",
    "Containers": "CONTAINERS",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
    "VirtualSize": "SIZE",
}

format_option = click.option(
    "--format",
    "template",
    metavar="TEMPLATE",
    help="'table', 'table TEMPLATE', 'json' or a Go template.",
)


@click.command()
@click.option("-a", "--all", "show_all", is_flag=True, help="Include intermediate images.")
@click.option("-q", "--quiet", is_flag=True, help="Print only ids.")
@click.option("--no-trunc", is_flag=True, help="Do not shorten ids.")
@click.option("--digests", is_flag=True, help="Show digests.")
@click.option("--tree", is_flag=True, help="Show which layers images share.")
@filter_option("before, dangling, label, reference, since, until")
@format_option
@click.argument("name", required=False, metavar="[REPOSITORY[:TAG]]")
def images(
    *,
    show_all: bool,
    quiet: bool,
    no_trunc: bool,
    digests: bool,
    tree: bool,
    filters: tuple[str, ...],
    template: str | None,
    name: str | None,
) -> None:
    """List images."""
    if tree:
        from sandbox.cli.images.image_tree import tree_lines

        for line in tree_lines(Engine().images.list(name, filters=filters)):
            emit(line)
        return
    rows = [
        row
        for image in Engine().images.list(name, filters=filters)
        for row in image_rows(image, long=no_trunc, digests=digests)
    ]
    if quiet and template is None:
        template = "{{.ID}}"
    columns = (_REPOSITORY, _TAG, *((_DIGEST,) if digests else ()), *_REST)
    show(render(rows, columns, template=template, headings=_IMAGE_HEADINGS))


def image_rows(image: Image, *, long: bool, digests: bool) -> list[dict[str, Any]]:
    """Return the rows of an image, one for each name; all fields are text."""
    names = [parse_reference(tag) for tag in image.repo_tags]
    known = {ref.name: str(ref.digest) for ref in map(parse_reference, image.repo_digests)}
    pairs = [(ref.familiar_name, ref.tag or _NONE, known.get(ref.name, _NONE)) for ref in names]
    tagged = {ref.name for ref in names}
    for text in image.repo_digests:
        reference = parse_reference(text)
        if reference.name not in tagged:
            digest = str(reference.digest) if digests else _NONE
            pairs.append((reference.familiar_name, _NONE, digest))
    common = {
        "ID": image.id if long else image.short_id,
        "CreatedSince": age_of(image.created),
        "CreatedAt": _moment(image.created),
        "Size": human_size(image.size),
        "VirtualSize": human_size(image.size),
        "Containers": "N/A",
        "SharedSize": "N/A",
        "UniqueSize": "N/A",
    }
    return [
        {"Repository": repository, "Tag": tag, "Digest": digest, **common}
        for repository, tag, digest in pairs or [(_NONE, _NONE, _NONE)]
    ]


def show(text: str) -> None:
    """Write a table, if there is one."""
    if text:
        emit(text)


def age_of(created: str | None) -> str:
    """Return the age of an image from its document."""
    seconds = seconds_of(created)
    if not seconds:
        return "N/A"
    return f"{human_duration(max(0.0, time.time() - seconds))} ago"


def _moment(created: str | None) -> str:
    moment = datetime.fromtimestamp(seconds_of(created), UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")

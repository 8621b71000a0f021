# SPDX-License-Identifier: MIT
"""``image tree``: the layers that images share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from sandbox.cli.output.format import emit, human_size
from sandbox.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.models.image import Image


@dataclass
class _Branch:
    """Layers of the same images, and the branches above them."""

    layers: list[tuple[str, int]] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    branches: dict[str, _Branch] = field(default_factory=dict)


@click.command("tree")
def tree() -> None:
    """Show the layers that images share."""
    for line in tree_lines(Engine().images.list()):
        emit(line)


def tree_lines(images: Sequence[Image]) -> Iterator[str]:
    """Yield the lines of the tree: each shared layer once, with the images above it."""
    root = _Branch()
    for image in images:
        branch = root
        for layer, size in zip(image.layers, image.layer_sizes, strict=True):
            branch = branch.branches.setdefault(layer, _Branch([(layer, size)]))
        branch.images.append(image)
    for branch in root.branches.values():
        yield from _branch_lines(_joined(branch), "", "")


def _joined(branch: _Branch) -> _Branch:
    """Merge layers that always occur together."""
    while len(branch.branches) == 1 and not branch.images:
        [only] = branch.branches.values()
        branch = _Branch(branch.layers + only.layers, only.images, only.branches)
    return branch


def _branch_lines(branch: _Branch, first: str, rest: str) -> Iterator[str]:
    size = human_size(sum(item for _, item in branch.layers), 4)
    name = branch.layers[-1][0].partition(":")[2][:12]
    count = len(branch.layers)
    yield f"{first}{name} {size} ({count} layer{'s' if count > 1 else ''})"
    below: list[Image | _Branch] = [*branch.images, *map(_joined, branch.branches.values())]
    for number, item in enumerate(below):
        last = number == len(below) - 1
        mark, space = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if isinstance(item, _Branch):
            yield from _branch_lines(item, rest + mark, rest + space)
        else:
            names = ", ".join(item.familiar_tags) or "<none>"
            yield f"{rest}{mark}{names} [{item.short_id}] {human_size(item.size, 4)}"

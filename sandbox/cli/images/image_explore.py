# SPDX-License-Identifier: MIT
"""``image diff``, ``image explore`` and the tree of images."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.output.format import ellipsis, emit, human_size, visible
from sandbox.engine import Engine
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.engine.looking import ImageReport, LayerReport
    from sandbox.models.image import Image


def shown(name: str) -> str:
    """Return a name of a table as the terminal is to get it, byte for byte."""
    return name.encode("latin-1").decode("utf-8", "surrogateescape")


def shown_in_line(name: str) -> str:
    """Return a name of a table as a part of a line: no control character is let through."""
    return visible(shown(name))


@click.command("diff")
@click.option("-p", "--patch", is_flag=True, help="Show how texts differ.")
@click.argument("before", metavar="IMAGE", shell_complete=complete_images)
@click.argument("after", metavar="IMAGE", shell_complete=complete_images)
def image_diff(*, patch: bool, before: str, after: str) -> None:
    """Compare the files of two images: A added, C changed, D deleted.

    A modification time alone is no difference.
    """
    from sandbox.engine.looking import compare_images, patch_of

    for item in compare_images(Engine().layout, before, after):
        emit(f"{item.kind} /{shown_in_line(item.path)}")
        if patch:
            emit(patch_of(item), end="")


@click.command()
@click.option("--layer", type=int, metavar="N", help="List the files of this layer (1 is lowest).")
@click.option("--json", "as_json", is_flag=True, help="Show everything as JSON.")
@click.argument("image", shell_complete=complete_images)
def explore(*, layer: int | None, as_json: bool, image: str) -> None:
    """Look at the layers of an image: what each adds, and what is wasted.

    On a terminal it is a view to move in: arrows choose a layer, space and b turn its
    pages, q ends. Elsewhere it is a report.
    """
    from sandbox.engine.looking import report_image

    report = report_image(Engine().layout, image)
    if as_json:
        emit(json.dumps(_as_json(report), indent=1))
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


def report_lines(report: ImageReport) -> Iterator[str]:
    """Yield the report on a whole image."""
    yield summary(report)
    for layer in report.layers:
        yield layer_line(layer)
    if report.wasted:
        yield ""
        yield "Wasted (in a lower layer, and hidden by a higher one):"
    for path, size in report.wasted[:20]:
        yield f"{human_size(size, 4):>10}  /{shown_in_line(path)}"


def summary(report: ImageReport) -> str:
    """Return the line on the whole image."""
    wasted = report.wasted_size
    good = 100.0 if not report.size else 100 * (report.size - wasted) / report.size
    count = len(report.layers)
    return (
        f"{count} layer{'s' if count != 1 else ''}, {human_size(report.size, 4)};"
        f" wasted {human_size(wasted, 4)}, efficiency {good:.1f}%"
    )


def layer_line(layer: LayerReport) -> str:
    """Return the line on one layer."""
    counts = f"+{len(layer.added)} ~{len(layer.changed)} -{len(layer.removed)}"
    step = ellipsis(visible(" ".join(layer.created_by.split())), 60)
    return f"{layer.number + 1:>3} {human_size(layer.size, 4):>9} {counts:<18} {step}".rstrip()


def file_lines(layer: LayerReport) -> Iterator[str]:
    """Yield the files of one layer, by path."""
    rows = [("A", path, size) for path, size in layer.added]
    rows += [("C", path, size) for path, size in layer.changed]
    rows += [("D", path, 0) for path in layer.removed]
    for kind, path, size in sorted(rows, key=lambda row: row[1]):
        yield f"{kind} {human_size(size, 4):>9}  /{shown_in_line(path)}"


def _as_json(report: ImageReport) -> dict[str, object]:
    return {
        "Id": report.image.id,
        "Size": report.size,
        "Wasted": report.wasted_size,
        "WastedFiles": [{"Path": f"/{shown(path)}", "Size": size} for path, size in report.wasted],
        "Layers": [
            {
                "DiffId": layer.diff_id,
                "CreatedBy": layer.created_by,
                "Size": layer.size,
                "Added": [f"/{shown(path)}" for path, _ in layer.added],
                "Changed": [f"/{shown(path)}" for path, _ in layer.changed],
                "Removed": [f"/{shown(path)}" for path in layer.removed],
            }
            for layer in report.layers
        ],
    }


# ---- the tree -------------------------------------------------------------------------------


@dataclass
class _Branch:
    """Layers that the same images have, and what stands on them."""

    layers: list[tuple[str, int]] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    branches: dict[str, _Branch] = field(default_factory=dict)


@click.command("tree")
def tree() -> None:
    """Show which layers images share."""
    for line in tree_lines(Engine().images()):
        emit(line)


def tree_lines(images: Sequence[Image]) -> Iterator[str]:
    """Yield the lines of the tree: shared layers once, images above them."""
    root = _Branch()
    for image in images:
        branch = root
        for layer, size in zip(image.layers, image.layer_sizes, strict=True):
            branch = branch.branches.setdefault(layer, _Branch([(layer, size)]))
        branch.images.append(image)
    for branch in root.branches.values():
        yield from _branch_lines(_joined(branch), "", "")


def _joined(branch: _Branch) -> _Branch:
    """Join layers that always occur together."""
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

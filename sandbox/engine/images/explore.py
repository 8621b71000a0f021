# SPDX-License-Identifier: MIT
"""``image explore``: the files of each layer of an image, and wasted bytes.

Rules: names are bytes decoded as Latin-1, as in the tables of layers; a caller that shows them
encodes them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.engine.images.merged import MergedTree
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


@dataclass(frozen=True)
class LayerReport:
    """The changes of one layer of an image."""

    number: int
    diff_id: Digest
    created_by: str
    size: int
    added: tuple[tuple[str, int], ...]  # path, bytes
    changed: tuple[tuple[str, int], ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class ImageReport:
    """The layers of an image, and its wasted bytes."""

    image: Image
    layers: tuple[LayerReport, ...]
    wasted: tuple[tuple[str, int], ...]  # path, bytes that no container can see
    size: int

    @property
    def wasted_size(self) -> int:
        """The sum of the bytes that no container can see."""
        return sum(size for _, size in self.wasted)


def explore(layout: Layout, name: str) -> ImageReport:
    """Return the changes of every layer of an image, and its wasted bytes."""
    image = ImageStore(layout).find(name)
    merged = MergedTree(layout, image)
    steps = [step.created_by for step in image.history if not step.empty_layer]
    reports = []
    wasted: dict[str, int] = {}
    for number, changes in merged.grow():

        def sized(paths: list[str]) -> tuple[tuple[str, int], ...]:
            nodes = merged.tree.nodes
            return tuple((path, merged.size(nodes[path])) for path in sorted(paths))

        for node in changes.hidden:
            wasted[node.row.p] = wasted.get(node.row.p, 0) + merged.size(node)
        reports.append(
            LayerReport(
                number,
                image.layers[number],
                steps[number] if number < len(steps) else "",
                image.layer_sizes[number],
                sized(changes.added),
                sized(changes.changed),
                tuple(changes.removed),
            )
        )
    most = sorted(((p, s) for p, s in wasted.items() if s), key=lambda item: (-item[1], item[0]))
    return ImageReport(image, tuple(reports), tuple(most), image.size)

# SPDX-License-Identifier: MIT
"""The merged tree of an image's layers, from their tables.

Rules: names are bytes decoded as Latin-1, as in the tables of layers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import UsageError
from sandbox.layers.layer_tar import Row, raw, read_rows
from sandbox.layers.merged_tree import LayerChanges, Node, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


class MergedTree:
    """The tree of one image, and the paths of its files on the host."""

    def __init__(self, layout: Layout, image: Image) -> None:
        if image.is_host:
            raise UsageError("the image 'host' is the machine itself: it has no layers")
        self._layout = layout.home(image.id)
        self._image = image
        self.tree = Tree()

    def grow(self) -> Iterator[tuple[int, LayerChanges]]:
        """Add the layers one by one; yield the changes of each."""
        for number, layer in enumerate(self._image.layers):
            changes = self.tree.add_layer(read_rows(self._layout.layer_meta(layer)))
            yield number, changes

    def complete(self) -> MergedTree:
        """Add all layers."""
        for _ in self.grow():
            pass
        return self

    def identity(self, node: Node) -> tuple[Digest, str]:
        """Return a value that is unique to one entry of one layer."""
        return self._image.layers[node.layer], node.row.p

    def file(self, node: Node | None) -> Path | None:
        """Return the path of a node's file; None if it is no regular file."""
        if node is None or node.row.t != "f":
            return None
        top = os.fsencode(self._layout.layer_diff(self._image.layers[node.layer]))
        return self._layout.root / os.fsdecode(os.path.join(top, raw(node.row.p)))

    def size(self, node: Node) -> int:
        """Return the size of a node's file; 0 for anything else."""
        path = self.file(node)
        return 0 if path is None or row_of(node).h else path.lstat().st_size


def row_of(node: Node) -> Row:
    """Return the whole row of a node."""
    row = node.row
    assert isinstance(row, Row)
    return row

# SPDX-License-Identifier: MIT
"""Look into images without running them: what differs, what each layer adds.

Rules: modification times alone are no difference. Names are bytes read as Latin-1, as in
the tables; whoever shows them turns them back.
"""

from __future__ import annotations

import difflib
import filecmp
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import UsageError, map_os_errors
from sandbox.layers.layer_tar import Row, raw, read_rows
from sandbox.layers.merged_tree import TOP, Node, Tree
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout

_PATCH_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Difference:
    """One path that differs: A added, C changed, D deleted."""

    kind: str
    path: str
    before: Path | None  # the file, if it is one
    after: Path | None


@dataclass(frozen=True)
class LayerReport:
    """What one layer of an image adds."""

    number: int
    diff_id: Digest
    created_by: str
    size: int
    added: tuple[tuple[str, int], ...]  # path, size
    changed: tuple[tuple[str, int], ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class ImageReport:
    """What an image is made of."""

    image: Image
    layers: tuple[LayerReport, ...]
    wasted: tuple[tuple[str, int], ...]  # path, bytes that cannot be seen
    size: int

    @property
    def wasted_size(self) -> int:
        """All bytes that no container can see."""
        return sum(size for _, size in self.wasted)


class _Merged:
    """The tree of one image, and where its files are."""

    def __init__(self, layout: Layout, image: Image) -> None:
        if image.is_host:
            raise UsageError("the image 'host' is the machine itself: it has no layers")
        self._layout = layout.home(image.id)
        self._image = image
        self.tree = Tree()

    def grow(self) -> Iterator[tuple[int, object]]:
        """Add layer after layer; yields what each changes."""
        for number, layer in enumerate(self._image.layers):
            changes = self.tree.add_layer(read_rows(self._layout.layer_meta(layer)))
            yield number, changes

    def complete(self) -> _Merged:
        """Add all layers."""
        for _ in self.grow():
            pass
        return self

    def identity(self, node: Node) -> tuple[Digest, str]:
        """Return what is equal only for the very same entry of the same layer."""
        return self._image.layers[node.layer], node.row.p

    def file(self, node: Node | None) -> Path | None:
        """Return the file of a node, if it is one."""
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


def compare_images(layout: Layout, before: str, after: str) -> Iterator[Difference]:
    """Yield what differs between two images, by path."""
    store = ImageStore(layout)
    old = _Merged(layout, store.find(before)).complete()
    new = _Merged(layout, store.find(after)).complete()
    for path in sorted({*old.tree.nodes, *new.tree.nodes} - {TOP}):
        one, two = old.tree.nodes.get(path), new.tree.nodes.get(path)
        if one is not None and two is not None and _is_same(old, one, new, two):
            continue
        kind = "A" if one is None else "D" if two is None else "C"
        yield Difference(kind, path, old.file(one), new.file(two))


def _is_same(old: _Merged, one: Node, new: _Merged, two: Node) -> bool:
    if old.identity(one) == new.identity(two):
        return True
    a, b = row_of(one), row_of(two)
    if (a.t, a.m, a.u, a.g, a.l, a.rdev, a.x) != (b.t, b.m, b.u, b.g, b.l, b.rdev, b.x):
        return False
    first, second = old.file(one), new.file(two)
    if first is None or second is None:
        return True
    with map_os_errors("cannot compare files of the images"):
        return filecmp.cmp(first, second, shallow=False)


def patch_of(difference: Difference) -> str:
    """Return the text of a difference as diff -u shows it; "" if there is none.

    Bytes of its name that are no UTF-8 are surrogates, as os.fsdecode makes them.
    """
    if difference.before is None and difference.after is None:
        return ""
    old, new = _text(difference.before), _text(difference.after)
    path = raw(difference.path).decode("utf-8", "surrogateescape")
    before = "/dev/null" if difference.before is None else f"a/{path}"
    after = "/dev/null" if difference.after is None else f"b/{path}"
    if old is None or new is None:
        return f"Binary files {before} and {after} differ\n"
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, before, after)
    )


def _text(path: Path | None) -> list[str] | None:
    """Return the lines of a text file; None if it is none."""
    if path is None:
        return []
    with map_os_errors(f"cannot read {path}"), path.open("rb") as file:
        data = file.read(_PATCH_LIMIT + 1)
    if len(data) > _PATCH_LIMIT or b"\0" in data:
        return None
    try:
        # As diff has it: "\n" alone ends a line, no form feed or other separator does.
        return io.StringIO(data.decode("utf-8"), newline="\n").readlines()
    except UnicodeDecodeError:
        return None


def report_image(layout: Layout, name: str) -> ImageReport:
    """Return what every layer of an image adds, and what is wasted."""
    from sandbox.layers.merged_tree import LayerChanges

    image = ImageStore(layout).find(name)
    merged = _Merged(layout, image)
    steps = [step.created_by for step in image.history if not step.empty_layer]
    reports = []
    wasted: dict[str, int] = {}
    for number, changes in merged.grow():
        assert isinstance(changes, LayerChanges)

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

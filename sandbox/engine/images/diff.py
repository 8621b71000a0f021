# SPDX-License-Identifier: MIT
"""``image diff``: the files that differ between two images.

Rules: a modification time alone is no difference. Names are bytes decoded as Latin-1, as in the
tables of layers; a caller that shows them encodes them again.
"""

from __future__ import annotations

import difflib
import filecmp
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.engine.images.merged import MergedTree, row_of
from sandbox.errors import map_os_errors
from sandbox.layers.layer_tar import raw
from sandbox.layers.merged_tree import TOP
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.layers.merged_tree import Node
    from sandbox.store.layout import Layout

_PATCH_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Difference:
    """One path that differs; *kind* is A for added, C for changed, D for deleted."""

    kind: str
    path: str
    before: Path | None  # None if it is no regular file
    after: Path | None


def diff(layout: Layout, before: str, after: str) -> Iterator[Difference]:
    """Yield the differences between two images, sorted by path."""
    store = ImageStore(layout)
    old = MergedTree(layout, store.find(before)).complete()
    new = MergedTree(layout, store.find(after)).complete()
    for path in sorted({*old.tree.nodes, *new.tree.nodes} - {TOP}):
        one, two = old.tree.nodes.get(path), new.tree.nodes.get(path)
        if one is not None and two is not None and _is_same(old, one, new, two):
            continue
        kind = "A" if one is None else "D" if two is None else "C"
        yield Difference(kind, path, old.file(one), new.file(two))


def _is_same(old: MergedTree, one: Node, new: MergedTree, two: Node) -> bool:
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
    """Return the output of ``diff -u`` for a difference; "" if there is none.

    Bytes of the name that are not UTF-8 become surrogates, as with os.fsdecode.
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
    """Return the lines of a text file; None for a binary or a large file."""
    if path is None:
        return []
    with map_os_errors(f"cannot read {path}"), path.open("rb") as file:
        data = file.read(_PATCH_LIMIT + 1)
    if len(data) > _PATCH_LIMIT or b"\0" in data:
        return None
    try:
        # As in diff, only "\n" ends a line; form feeds and other separators do not.
        return io.StringIO(data.decode("utf-8"), newline="\n").readlines()
    except UnicodeDecodeError:
        return None

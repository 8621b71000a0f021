# SPDX-License-Identifier: MIT
"""The merged tree of a stack of layers, computed from their tables. Pure.

Source: the OCI image specification, "Applying Changesets".

How it works: layers are applied from the lowest to the highest. The whiteouts and opaque
directories of a layer come first, since they concern only the layers below.

Must not know: where tables come from, the content of files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

TOP = "."


class TableRow(Protocol):
    """The fields that this module needs of a table's row."""

    @property
    def p(self) -> str:
        """The path; "." is the top."""

    @property
    def t(self) -> str:
        """The kind of entry, a letter of the table in `unpack`."""

    @property
    def m(self) -> int:
        """The mode bits, without the type."""

    @property
    def u(self) -> int:
        """The uid."""

    @property
    def g(self) -> int:
        """The gid."""


@dataclass(frozen=True, slots=True)
class Node:
    """A visible entry: its row, and the index of its layer, 0 for the lowest."""

    layer: int
    row: TableRow


@dataclass
class LayerChanges:
    """The changes that one layer makes to the tree below it."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    hidden: list[Node] = field(default_factory=list)
    """Entries of lower layers that this layer hides."""


class Tree:
    """A merged tree, built layer by layer."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._children: dict[str, set[str]] = {}
        self._count = 0

    def add_layer(self, rows: Iterable[TableRow]) -> LayerChanges:
        """Add a layer on top, and return its changes."""
        changes = LayerChanges()
        everything = list(rows)
        gone: set[str] = set()
        for row in everything:
            if row.t == "w" and row.p in self.nodes:
                gone |= self._remove(row.p, changes)
            elif row.t == "o":
                for child in sorted(self._children.get(row.p, ())):
                    gone |= self._remove(child, changes)
        for row in everything:
            if row.t not in "wo":
                self._put(row, gone, changes)
        changes.removed = sorted(path for path in gone if path not in self.nodes)
        self._count += 1
        return changes

    def _put(self, row: TableRow, gone: set[str], changes: LayerChanges) -> None:
        old = self.nodes.get(row.p)
        if old is not None and not old.row.t == row.t == "d":
            if old.layer != self._count:
                changes.hidden.append(old)
            gone |= {path for path in self._remove(row.p, changes, hide=False) if path != row.p}
        existed = old is not None or row.p in gone
        if old is None or not _is_same_directory(old.row, row):
            (changes.changed if existed else changes.added).append(row.p)
        self.nodes[row.p] = Node(self._count, row)
        if row.p != TOP:
            self._children.setdefault(parent_of(row.p), set()).add(row.p)

    def _remove(self, path: str, changes: LayerChanges, *, hide: bool = True) -> set[str]:
        """Remove *path* and everything below it; return the removed paths."""
        self._children.get(parent_of(path), set()).discard(path)
        removed = set()
        pending = [path]
        while pending:
            current = pending.pop()
            node = self.nodes.pop(current, None)
            if node is not None:
                removed.add(current)
                if hide or current != path:
                    changes.hidden.append(node)
            pending += self._children.pop(current, ())
        return removed


def _is_same_directory(old: TableRow, new: TableRow) -> bool:
    """Return whether *new* repeats a directory unchanged, as archives often do for parents."""
    return old.t == new.t == "d" and (old.m, old.u, old.g) == (new.m, new.u, new.g)


def parent_of(path: str) -> str:
    """Return the directory that contains *path*.

    >>> parent_of("a/b/c"), parent_of("a")
    ('a/b', '.')
    """
    return path.rpartition("/")[0] or TOP

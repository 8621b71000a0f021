# SPDX-License-Identifier: MIT
"""The merged tree of a stack of layers, from their tables alone. Pure.

How it works: layers are applied from the lowest to the highest; the marks of a layer
(whiteouts, opaque directories) first, since they are about the layers below only.

Does not know: where tables come from, or what is in files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

TOP = "."


class TableRow(Protocol):
    """What is needed of a row of a table."""

    @property
    def p(self) -> str:
        """The path."""

    @property
    def t(self) -> str:
        """The kind of entry."""

    @property
    def m(self) -> int:
        """The mode."""

    @property
    def u(self) -> int:
        """The owner."""

    @property
    def g(self) -> int:
        """The group."""


@dataclass(frozen=True, slots=True)
class Node:
    """A visible entry: the layer it is from, counted from the lowest, and its row."""

    layer: int
    row: TableRow


@dataclass
class LayerChanges:
    """What one layer does to the tree below it."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    hidden: list[Node] = field(default_factory=list)
    """Entries of lower layers that can no longer be seen."""


class Tree:
    """A tree that grows by one layer at a time."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._children: dict[str, set[str]] = {}
        self._count = 0

    def add_layer(self, rows: Iterable[TableRow]) -> LayerChanges:
        """Put a layer on top."""
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
        """Forget *path* and all below it; returns what was forgotten."""
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
    """Return whether a directory is only named again, as archives do on the way."""
    return old.t == new.t == "d" and (old.m, old.u, old.g) == (new.m, new.u, new.g)


def parent_of(path: str) -> str:
    """Return the directory that holds *path*.

    >>> parent_of("a/b/c"), parent_of("a")
    ('a/b', '.')
    """
    return path.rpartition("/")[0] or TOP

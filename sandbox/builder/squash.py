# SPDX-License-Identifier: MIT
"""``--squash``: merge all new layers into one. Works on the tables of the layers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from sandbox.builder.stage_state import Row as HistoryRow
from sandbox.layers.layer_tar import layer_entries, read_rows
from sandbox.layers.layer_writer import LayerWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.builder.stage_state import State
    from sandbox.builder.workspace import Workspace
    from sandbox.layers.layer_tar import Row
    from sandbox.layers.tar_writer import PackEntry
    from sandbox.layers.unpack import UnpackedLayer
    from sandbox.models.digest import Digest
    from sandbox.store.layout import Layout


@dataclass
class Merged:
    """Merged layers: the entries that they add, and those that they remove from below."""

    files: dict[str, tuple[Digest, Row]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)  # w or o

    def add(self, layer: Digest, rows: Iterable[Row]) -> None:
        """Put one more layer on top."""
        everything = list(rows)
        for row in everything:
            if row.t in "wo":
                self._drop(row.p, itself=row.t == "w")
                if row.t == "w" or self.marks.get(row.p) is None:
                    self.marks[row.p] = row.t
        for row in everything:
            if row.t not in "wo":
                self._put(layer, row)

    def _put(self, layer: Digest, row: Row) -> None:
        old = self.files.get(row.p)
        if old is not None and not old[1].t == row.t == "d":
            self._drop(row.p, itself=True)
        if self.marks.get(row.p) == "w":
            # A new entry hides the old one; a new directory must be opaque.
            del self.marks[row.p]
            if row.t == "d":
                self.marks[row.p] = "o"
        self.files[row.p] = (layer, row)

    def _drop(self, path: str, *, itself: bool) -> None:
        prefix = "" if path == "." else f"{path}/"
        for known in [name for name in self.files if name.startswith(prefix) and name != "."]:
            if known != path:
                del self.files[known]
        for known in [name for name in self.marks if name.startswith(prefix) and name != path]:
            del self.marks[known]
        if itself:
            self.files.pop(path, None)


def squash(shop: Workspace, state: State, moment: str) -> None:
    """Replace the new layers of a stage with one layer."""
    new = state.layers[state.base_count :]
    if len(new) < 2:
        return
    merged = Merged()
    for layer in new:
        merged.add(layer, read_rows(shop.layout.layer_meta(layer)))
    made = _make(shop.layout, merged, shop.folder("layer"))
    shop.add("", made, None)
    state.layers = (*state.layers[: state.base_count], made.diff_id)
    kept = state.base_rows
    state.history = [
        *state.history[:kept],
        *(replace(row, empty=True) for row in state.history[kept:]),
        HistoryRow("", empty=False, created=moment, comment="merged layers"),
    ]


def _make(layout: Layout, merged: Merged, into: Path) -> UnpackedLayer:
    with LayerWriter(into) as maker:
        for path in sorted(merged.files):
            layer, row = merged.files[path]
            maker.add(_entry(layout, layer, row))
        for path in sorted(merged.marks):
            maker.mark(path, merged.marks[path])
        return maker.finish()


def _entry(layout: Layout, layer: Digest, row: Row) -> PackEntry:
    top = os.fsencode(layout.layer_diff(layer))
    [entry] = layer_entries(
        iter([row]), lambda path: os.lstat(top + b"/" + path).st_size, partial(_open, top)
    )
    inode = (layer, row.h or row.p) if row.t != "d" else None
    return replace(entry, inode=inode)


def _open(top: bytes, path: bytes) -> BinaryIO:
    return os.fdopen(os.open(top + b"/" + path, os.O_RDONLY | os.O_NOFOLLOW), "rb")

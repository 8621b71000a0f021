# SPDX-License-Identifier: MIT
"""Unpacked layers, and the indexes of stacks of layers.

Rules: a layer appears with one rename, complete, and never changes afterwards. An index is a
cache. It is rebuilt if it is missing, or if the inode numbers of its layers changed (a copied
store).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData, map_os_errors
from sandbox.models import oci
from sandbox.models.digest import chain_ids
from sandbox.store.atomic_files import discard, workspace, write_atomic
from sandbox.store.lock import store_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


class LayerInfo(msgspec.Struct, frozen=True):
    """The content of info.json: bytes of all files, number of rows in the table."""

    size: int
    entries: int


def has_layer(layout: Layout, diff_id: Digest) -> bool:
    """Return whether the store has the layer."""
    return layout.layer(diff_id).is_dir()


def read_layer_info(layout: Layout, diff_id: Digest) -> LayerInfo:
    """Return the layer's size and number of entries. Raises CorruptData."""
    path = layout.layer_info(diff_id)
    with map_os_errors(f"cannot read {path}"):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raise CorruptData(f"the layer {diff_id} is missing from the store") from None
    return oci.decode(raw, LayerInfo, what=str(path))


def adopt_layer(layout: Layout, diff_id: Digest, unpacked: Path) -> bool:
    """Move a complete layer into the store; return False if it was there already.

    The caller holds the store's lock.
    """
    target = layout.layer(diff_id)
    if target.is_dir():
        return False
    with map_os_errors(f"cannot add the layer {diff_id}"):
        unpacked.rename(target)
    return True


def remove_layer(layout: Layout, diff_id: Digest) -> None:
    """Delete a layer. The caller holds the store's lock, and nothing uses the layer."""
    discard(layout.layer(diff_id), layout=layout)


def remove_index(layout: Layout, chain_id: Digest) -> None:
    """Delete an index. The caller holds the store's lock."""
    discard(layout.index_stamp(chain_id), layout=layout)
    discard(layout.index(chain_id), layout=layout)


def ensure_index(layout: Layout, image: Image) -> Path:
    """Return the path of the image's index, after building it if necessary."""
    if image.chain_id is None:
        raise CorruptData(f"image {image.short_id} has no layers")
    return ensure_stack(layout, layout.home(image.id), image.layers)


def ensure_stack(layout: Layout, home: Layout, layers: Sequence[Digest]) -> Path:
    """Return the path of the index of *layers* in the store *home*; build it if necessary."""
    chain_id = chain_ids(layers)[-1]
    path = layout.index(chain_id)
    if home is not layout:
        if is_index_fresh(home, chain_id, layers):
            return home.index(chain_id)
        path = layout.site_index(home, chain_id)
        with map_os_errors(f"cannot add the index {chain_id}"):
            path.parent.mkdir(0o700, exist_ok=True)
    stamp_path = path.with_name(f"{path.name}.stamp")
    stamp = _stamp(home, layers)

    def is_made() -> bool:
        return path.exists() and _read_stamp(stamp_path) == stamp

    if is_made():
        return path
    sources = [
        (os.fspath(home.layer_diff(layer)), os.fspath(home.layer_meta(layer))) for layer in layers
    ]
    with workspace(layout) as scratch:
        draft = scratch / "index"
        build_index(sources, os.fspath(draft))
        with store_lock(layout), map_os_errors(f"cannot add the index {chain_id}"):
            # Another process may have built it, and its container may use that very file, to
            # which Landlock confines it.
            if not is_made():
                draft.rename(path)
                write_atomic(stamp_path, stamp, layout=layout)
    return path


def build_index(layers: Sequence[tuple[str, str]], dest: str) -> None:
    """Build the index of (diff, meta.jsonl) pairs, the lowest first, in the C core."""
    from sandbox.native import core  # imported late, for a quick start

    core.build_index(layers, dest)


def is_index_fresh(layout: Layout, chain_id: Digest, layers: Sequence[Digest]) -> bool:
    """Return whether the stack's index exists and matches its layers."""
    try:
        stamp = _stamp(layout, layers)
    except CorruptData:
        return False
    exists = layout.index(chain_id).exists()
    return exists and _read_stamp(layout.index_stamp(chain_id)) == stamp


def _stamp(layout: Layout, layers: Sequence[Digest]) -> bytes:
    lines = []
    for layer in layers:
        try:
            diff = layout.layer_diff(layer).stat()
            meta = layout.layer_meta(layer).stat()
        except FileNotFoundError:
            raise CorruptData(f"the layer {layer} is missing from the store") from None
        lines.append(f"{layer} {diff.st_ino} {meta.st_ino} {meta.st_mtime_ns}\n")
    return "".join(lines).encode()


def _read_stamp(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None

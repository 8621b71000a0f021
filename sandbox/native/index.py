# SPDX-License-Identifier: MIT
"""Indexes: one file for the merged tree of a stack of layers (csrc/layers/index_build.h).

Must not know: where the store keeps indexes, when it rebuilds one.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from sandbox.errors import CorruptData, NativeError
from sandbox.native._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence


def build_index(
    layers: Sequence[tuple[str, str]], dest: str, store_root: str | None = None
) -> None:
    """Write the index of a stack of layers, the lowest first, to the new file *dest*.

    A layer is given by its directory of files and its table. Without *store_root*, the store is
    three levels above that directory. Raises CorruptData, NativeError.
    """
    from sandbox.native.layer_rows import pack_table  # imported late: it loads msgspec

    kept: list[object] = []
    rows = ffi.new("struct sb_layer_rows[]", max(len(layers), 1))
    for row, (diff, meta) in zip(rows, layers, strict=False):
        root = store_root or os.path.normpath(f"{diff}/../../..")
        with open(meta, "rb") as file:
            packed = pack_table(file)
        texts = [
            ffi.new("char[]", os.fsencode(diff)),
            ffi.new("char[]", os.fsencode(os.path.relpath(diff, root))),
            ffi.from_buffer(packed),
        ]
        kept.append(texts)
        row.diff, row.relative, row.rows = texts
        row.rows_len = len(packed)
    problem = ffi.new("char[256]")
    result = lib.sb_index_build(rows, len(layers), os.fsencode(dest), problem)
    if result < 0:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(dest)
        where = os.fsdecode(ffi.string(problem))
        if -result in (errno.EINVAL, errno.EUCLEAN) or (-result == errno.ENOENT and where):
            raise CorruptData(f"the files and the table of a layer do not match: {where!r}")
        raise NativeError(-result, f"cannot make the index {dest}")


def index_is_current(index: str, store_root: str) -> bool:
    """Return whether the index is intact, and its inode numbers match the files."""
    store = os.fsencode(os.path.realpath(store_root))
    fits: int = lib.sb_hosted_index_fits(os.fsencode(index), store)
    return fits == 1

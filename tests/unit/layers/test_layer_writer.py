# SPDX-License-Identifier: MIT
"""Layers that are written entry by entry are the same as unpacked ones."""

from __future__ import annotations

import io
import os
import pathlib

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.layer_tar import pack_layer, read_rows
from sandbox.layers.layer_writer import LayerWriter, hash_layer
from sandbox.layers.tar_writer import PackEntry
from sandbox.layers.unpack import unpack_layer

ENTRIES = [
    PackEntry(b"d", "d", 0o2750, 3, 4, mtime_ns=1_700_000_000_123456789),
    PackEntry(b"d/f", "f", 0o4755, 5, 6, 7 * 10**9, 3, inode=1, open=lambda: io.BytesIO(b"abc")),
    PackEntry(b"d/h", "f", 0o4755, 5, 6, 7 * 10**9, size=3, inode=1),
    PackEntry(b"d/l", "l", 0o777, link=b"f"),
    PackEntry(b"d/n", "c", 0o600, rdev=(1, 3)),
    PackEntry(b"d/p", "p", 0o644, xattrs={b"user.a": b"\0b"}),
    PackEntry(b"d/z", "f", 0o644, size=200_000, open=lambda: io.BytesIO(bytes(200_000))),
]  # fmt: skip


def test_a_written_layer_is_the_same_as_the_one_that_is_unpacked_from_its_tar(
    tmp_path: pathlib.Path,
) -> None:
    made, again = tmp_path / "made", tmp_path / "again"
    made.mkdir()
    again.mkdir()
    with LayerWriter(made) as maker:
        for entry in ENTRIES:
            maker.add(entry)
        maker.mark("gone", "w")
        layer = maker.finish()
    diff_id, _ = pack_layer(made / "diff", made / "meta.jsonl", tmp_path / "blob")
    assert diff_id == layer.diff_id
    assert hash_layer(made, list(read_rows(made / "meta.jsonl"))) == layer.diff_id
    with (tmp_path / "blob").open("rb") as blob:
        unpacked = unpack_layer(blob, again)
    assert unpacked.diff_id == layer.diff_id
    assert unpacked.info == layer.info
    assert list(read_rows(again / "meta.jsonl")) == list(read_rows(made / "meta.jsonl"))
    assert os.path.samefile(made / "diff/d/f", made / "diff/d/h")
    assert (made / "diff/d/f").stat().st_mode & 0o7777 == 0o755, "a host file is setuid"
    assert (made / "diff/d/z").stat().st_blocks * 512 < 200_000, "zeros take space on disk"


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: pathlib.Path) -> None:
    short = PackEntry(b"f", "f", 0o644, size=9, open=lambda: io.BytesIO(b"abc"))
    with LayerWriter(tmp_path) as maker, pytest.raises(CorruptData, match="became shorter"):
        maker.add(short)

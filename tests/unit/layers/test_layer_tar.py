# SPDX-License-Identifier: MIT
"""Packing a layer's tar from its files and its table."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from sandbox.layers.layer_tar import Row, pack_layer, raw, read_rows, row_of
from sandbox.layers.tar_writer import PackEntry
from sandbox.layers.unpack import unpack_layer
from sandbox.store.layout import DIFF, META
from tests.harness import images

MEMBERS = [
    images.directory("d", mode=0o700),
    images.file("d/f", "content"),
    images.symlink("d/l", "f"),
    images.whiteout("gone"),
]


def test_packing_unpacking_and_packing_gives_the_same_tar(tmp_path: Path) -> None:
    digests = []
    data = images.tar(MEMBERS)
    for number in range(2):
        into = tmp_path / str(number)
        into.mkdir()
        unpack_layer(io.BytesIO(data), into)
        digest, blob = pack_layer(into / DIFF, into / META, into / "blob")
        packed = (into / "blob").read_bytes()
        assert blob.size == len(packed)
        data = gzip.decompress(packed)
        assert digest == images.digest(data)
        digests.append(digest)
    assert digests[0] == digests[1]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames()[-1] == ".wh.gone", "the whiteout is not the last member"
        assert archive.getmember("d").mode == 0o700
        assert archive.getmember("d/l").linkname == "f"


def test_a_row_has_the_values_of_its_entry(tmp_path: Path) -> None:
    entry = PackEntry(
        b"dev\xff", "c", 0o4620, 3, 4, 5, rdev=(1, 2), xattrs={b"user.a": b"\0"}, link=b"x"
    )
    row = row_of(entry, b"first")
    assert (raw(row.p), row.t, row.m, row.u, row.g, row.mt) == (b"dev\xff", "c", 0o4620, 3, 4, 5)
    assert (row.rdev, row.h, row.l) == ((1, 2), "first", "")
    assert row.x == {"user.a": "AA=="}
    (tmp_path / "meta").write_text('{"p":"a","t":"f","u":7}\n{"p":"b","t":"d"}\n')
    assert list(read_rows(tmp_path / "meta")) == [Row(p="a", t="f", u=7), Row(p="b", t="d")]

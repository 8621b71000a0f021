# SPDX-License-Identifier: MIT
from __future__ import annotations

import io
import tarfile

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.tar_writer import PackEntry, write_tar


def packed(*entries: PackEntry) -> bytes:
    out = io.BytesIO()
    write_tar(entries, out.write)
    return out.getvalue()


def content(data: bytes) -> dict[str, object]:
    return {"size": len(data), "open": lambda: io.BytesIO(data)}


def test_pythons_tarfile_reads_the_written_archive() -> None:
    data = packed(
        PackEntry(b"d", "d", 0o1755, uid=1, mtime_ns=5 * 10**9),
        PackEntry(b"d/f", "f", 0o4755, uid=3_000_000, inode=1, **content(b"abc")),  # type: ignore[arg-type]
        PackEntry(b"d/again", "f", 0o4755, inode=1, **content(b"abc")),  # type: ignore[arg-type]
        PackEntry(b"d/s", "l", 0o777, link=b"t" * 200, mtime_ns=1_500_000_000),
        PackEntry(b"null", "c", 0o666, rdev=(1, 3)),
        PackEntry(b"p", "p", 0o600),
        PackEntry(b"sock", "s", 0o600),
        PackEntry(b"x/" * 120 + b"y", "f", 0o600, xattrs={b"user.a": b"v\0"}),
    )
    assert len(data) % 10240 == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {member.name: member for member in archive}
        file = archive.extractfile("d/f")
        assert file is not None
        assert file.read() == b"abc"
    assert found["d"].isdir()
    assert found["d"].mode == 0o1755
    assert found["d/f"].uid == 3_000_000
    assert found["d/again"].linkname == "d/f"
    assert found["d/s"].linkname == "t" * 200
    assert found["d/s"].mtime == 1.5
    assert (found["null"].devmajor, found["null"].devminor) == (1, 3)
    assert found["p"].isfifo()
    assert "sock" not in found
    assert found["x/" * 120 + "y"].pax_headers["SCHILY.xattr.user.a"] == "v\0"


def test_the_same_entries_give_the_same_bytes() -> None:
    entry = PackEntry(b"f", "f", 0o644, xattrs={b"b": b"1", b"a": b"2"})
    other = PackEntry(b"f", "f", 0o644, xattrs={b"a": b"2", b"b": b"1"})
    assert packed(entry) == packed(other)


def test_a_file_that_shrinks_while_it_is_read_is_an_error() -> None:
    with pytest.raises(CorruptData, match="shorter"):
        packed(PackEntry(b"f", "f", 0o644, size=10, open=lambda: io.BytesIO(b"short")))


def test_a_file_that_grows_while_it_is_read_is_cut() -> None:
    data = packed(PackEntry(b"f", "f", 0o644, size=3, open=lambda: io.BytesIO(b"longer")))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        file = archive.extractfile("f")
        assert file is not None
        assert file.read() == b"lon"

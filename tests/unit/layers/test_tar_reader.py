# SPDX-License-Identifier: MIT
from __future__ import annotations

import io
import pathlib
import subprocess
import tarfile

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_reader import TarStream
from tests.harness import images


def read(data: bytes) -> list[tuple[TarEntry, bytes]]:
    stream = TarStream(io.BytesIO(data).read)
    found = []
    for entry in stream:
        content = bytearray()
        for offset, chunk in stream.chunks():
            content.extend(bytes(offset - len(content)))
            content[offset : offset + len(chunk)] = chunk
        if entry.size <= 1 << 24:
            content.extend(bytes(entry.size - len(content)))
        found.append((entry, bytes(content)))
    return found


def one(*members: images.Member) -> TarEntry:
    [(entry, _)] = read(images.tar(list(members)))
    return entry


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    top = tmp_path / "top"
    top.mkdir()
    with (top / "sparse").open("wb") as file:
        for part in range(60):
            file.seek(part * 100_000 + part * 37 % 4 * 4096)
            file.write(bytes([part + 1]) * 3000)
        file.truncate(7_000_000)
    (top / ("n" * 200)).write_text("long name")
    (top / "link").symlink_to("t" * 150)
    (top / "zz hard").hardlink_to(top / "sparse")
    (top / "\udcff\udcfe").write_bytes(b"1" * 513)
    (top / "/".join(["d" * 60] * 5)).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        ["--format=v7", "--exclude=*/[dn]*", "--exclude=*/link"],
        ["--format=ustar", "--exclude=*/n*", "--exclude=*/d*", "--exclude=*/link"],
        ["--format=gnu"],
        ["--format=gnu", "--sparse"],
        ["--format=posix"],
        ["--format=posix", "--sparse", "--sparse-version=0.0"],
        ["--format=posix", "--sparse", "--sparse-version=0.1"],
        ["--format=posix", "--sparse", "--sparse-version=1.0"],
    ],
    ids=" ".join,
)
def test_every_format_of_gnu_tar_is_read_as_by_pythons_tarfile(
    tree: pathlib.Path, options: list[str]
) -> None:
    made = subprocess.run(
        ["tar", "-C", tree, "-cf", "-", *options, "top"], check=True, capture_output=True
    )
    ours = [
        (entry.name.rstrip(b"/"), entry.mode, entry.mtime_ns // 10**9, entry.link, content)
        for entry, content in read(made.stdout)
    ]
    theirs = []
    with tarfile.open(fileobj=io.BytesIO(made.stdout), errors="surrogateescape") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            name, link = (
                text.encode("utf-8", "surrogateescape") for text in (member.name, member.linkname)
            )
            content = file.read() if file else b""
            theirs.append((name, member.mode, int(member.mtime), link, content))
    assert ours == theirs
    assert len(ours) >= 3


def test_numbers_too_large_for_octal_digits_are_read() -> None:
    entry = one(images.file("a", uid=2**31, mtime=9 * 10**9))
    assert (entry.uid, entry.mtime_ns) == (2**31, 9 * 10**18)


def test_times_before_1970_are_read() -> None:
    assert one(images.file("a", mtime=-1)).mtime_ns == -(10**9)


def test_pax_records_override_the_header() -> None:
    pax = {
        "path": b"\xff" * 300,
        "mtime": b"1.000000001",
        "uid": b"7",
        "SCHILY.xattr.user.a": b"\0=\n",
        "LIBARCHIVE.xattr.user.b": b"aGk",
    }
    entry = one(images.file("short", pax=pax))
    assert entry.name == b"\xff" * 300
    assert entry.mtime_ns == 10**9 + 1
    assert entry.uid == 7
    assert entry.xattrs == {b"user.a": b"\0=\n", b"user.b": b"hi"}


def test_the_prefix_is_part_of_the_name() -> None:
    head = bytearray(images.header(images.file("name")))
    head[345:351] = b"pre/fi"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    [(entry, _)] = read(bytes(head) + bytes(1024))
    assert entry.name == b"pre/fi/name"


def test_global_pax_headers_are_ignored() -> None:
    record = images.pax_record("path", b"evil")
    members = [images.Member(b"g", b"g", record), images.file("good")]
    assert one(*members).name == b"good"


def test_only_files_have_data() -> None:
    found = read(images.tar([images.directory("d", size=512), images.file("f", "x")]))
    assert [entry.name for entry, _ in found] == [b"d", b"f"]


def test_the_input_may_only_end_behind_the_data_of_a_member() -> None:
    data = images.tar([images.file("a", "x"), images.file("b", "y")], end=b"")
    for cut in (0, 1, 511):  # nothing, or of the padding
        assert len(read(data[: len(data) - cut])) == 2
    for cut in (512, 513, 1023):
        with pytest.raises(CorruptData, match="truncated"):
            read(data[: len(data) - cut])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 512,
        b"PK\3\4" * 300,
        images.tar([images.Member(b"x", b"M")]),
        images.tar([images.Member(b"x", b"x", b"999999 path=x\n")]),
        images.tar([images.Member(b"x", b"x", b"0 path=x\n")]),
        images.tar([images.Member(b"x", b"x", b"7 path\n")]),
        images.tar([images.file("x", pax={"size": b"-1"})]),
        images.tar([images.file("x", pax={"uid": b"9" * 15})]),
        images.tar([images.file("x", pax={"path": b"a\0b"})]),
        images.tar([images.file("x", pax={"mtime": b"soon"})]),
        images.tar([images.file("x", mtime=2**50)]),
        images.tar([images.file("x", uid=-1)]),
        images.tar([images.Member(b"x", b"x", size=2**40)]),
        images.tar([images.file("x", size=2**62)]),
        images.tar([images.Member(b"x", b"x", images.pax_record("path", b"y"))], end=b""),
    ],
)
def test_a_damaged_archive_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptData):
        read(data)


@pytest.mark.parametrize(
    "pax",
    [
        {"GNU.sparse.size": b"10", "GNU.sparse.map": b"0,5,3,5"},
        {"GNU.sparse.size": b"4", "GNU.sparse.map": b"0,10"},
        {"GNU.sparse.size": b"100", "GNU.sparse.map": b"0,5,50"},
        {"GNU.sparse.size": b"100", "GNU.sparse.map": b"0,5"},
        {"GNU.sparse.size": b"99999999999999999999", "GNU.sparse.map": b"0,10"},
        {"GNU.sparse.major": b"1", "GNU.sparse.realsize": b"10"},
    ],
)
def test_an_inconsistent_sparse_map_is_an_error(pax: dict[str, bytes]) -> None:
    with pytest.raises(CorruptData):
        read(images.tar([images.file("s", "0123456789", pax=pax)]))


def test_a_flipped_bit_in_a_header_is_an_error() -> None:
    data = images.tar([images.file("name", "data")])
    for position in (0, 101, 130, 160, 400):
        damaged = bytearray(data)
        damaged[position] ^= 4
        with pytest.raises(CorruptData):
            read(bytes(damaged))

# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import gzip
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import CorruptData, StoreFull, Unsupported
from sandbox.layers import unpack
from sandbox.layers.unpack import UnpackedLayer, unpack_layer
from sandbox.models.digest import digest_of
from tests.harness import images


class Layer:
    """An unpacked layer: its files and its table."""

    def __init__(self, source: list[images.Member] | bytes, place: Path) -> None:
        data = source if isinstance(source, bytes) else images.tar(source)
        self.unpacked: UnpackedLayer = unpack_layer(io.BytesIO(data), place)
        self.diff = place / "diff"
        lines = (place / "meta.jsonl").read_bytes().splitlines()
        self.list = [json.loads(line) for line in lines]
        self.rows: dict[str, Any] = {row["p"]: row for row in self.list}


def test_files_directories_and_links_are_unpacked_unchanged(tmp_path: Path) -> None:
    layer = Layer(
        [
            images.directory("d", mode=0o1750, uid=5, mtime=1000),
            images.file("d/f", "hello", mode=0o4711, gid=7, mtime=2000),
            images.symlink("d/s", "/d/f", mtime=3000),
            images.hardlink("h", "d/f"),
        ],
        tmp_path,
    )
    assert (layer.diff / "d/f").read_text() == "hello"
    assert os.readlink(layer.diff / "d/s") == "/d/f"
    assert os.path.samefile(layer.diff / "h", layer.diff / "d/f")
    times = [os.lstat(layer.diff / name).st_mtime for name in ("d", "d/f", "d/s")]
    assert times == [1000, 2000, 3000]
    assert layer.rows["d/f"] == {
        "p": "d/f", "t": "f", "m": 0o4711, "u": 0, "g": 7, "mt": 2000 * 10**9,
    }  # fmt: skip
    assert layer.rows["d"]["u"] == 5
    assert layer.rows["d/s"]["l"] == "/d/f"
    assert layer.rows["h"] == {**layer.rows["d/f"], "p": "h", "h": "d/f"}


def test_host_files_are_accessible_to_their_owner_and_never_setuid(tmp_path: Path) -> None:
    layer = Layer(
        [images.directory("d", mode=0o7000), images.file("d/f", "x", mode=0o6055)], tmp_path
    )
    assert stat.S_IMODE(os.stat(layer.diff / "d").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(layer.diff / "d/f").st_mode) == 0o655


def test_devices_and_fifos_become_empty_files_with_a_row(tmp_path: Path) -> None:
    members = [images.char("null", 1, 3), images.block("sda", 8, 0), images.fifo("pipe")]
    layer = Layer(members, tmp_path)
    assert [layer.rows[name]["t"] for name in ("null", "sda", "pipe")] == ["c", "b", "p"]
    assert layer.rows["null"]["rdev"] == [1, 3]
    assert all(stat.S_ISREG(os.lstat(path).st_mode) for path in layer.diff.iterdir())


def test_extended_attributes_are_only_in_the_table(tmp_path: Path) -> None:
    member = images.xattr(images.file("f"), "security.capability", b"\1\0\xff")
    layer = Layer([member], tmp_path)
    assert layer.rows["f"]["x"] == {"security.capability": base64.b64encode(b"\1\0\xff").decode()}


def test_the_table_holds_any_name(tmp_path: Path) -> None:
    name = bytes(byte for byte in range(1, 256) if byte not in b"/")[:255]
    layer = Layer([images.file(name, "x")], tmp_path)
    assert layer.list[0]["p"].encode("latin-1") == name
    assert os.listdir(os.fsencode(layer.diff)) == [name]


def test_missing_parents_belong_to_root(tmp_path: Path) -> None:
    layer = Layer([images.file("a/b/c", "x", uid=9)], tmp_path)
    assert [(row["p"], row["m"], row["u"]) for row in layer.list] == [
        ("a", 0o755, 0),
        ("a/b", 0o755, 0),
        ("a/b/c", 0o644, 9),
    ]


def test_the_last_of_several_members_of_one_name_wins(tmp_path: Path) -> None:
    layer = Layer(
        [
            images.file("x", "first"),
            images.hardlink("keeps-first", "x"),
            images.file("x", "second"),
            images.directory("d"),
            images.file("d/inner"),
            images.symlink("d", "x"),
            images.symlink("s", "nowhere"),
            images.directory("s"),
            images.directory("m", mode=0o700),
            images.file("m/stays"),
            images.directory("m", mode=0o711),
        ],
        tmp_path,
    )
    assert (layer.diff / "x").read_text() == "second"
    assert (layer.diff / "keeps-first").read_text() == "first"
    assert "h" not in layer.rows["keeps-first"]
    assert layer.rows["d"]["t"] == "l"
    assert "d/inner" not in layer.rows
    assert (layer.diff / "s").is_dir()
    assert not (layer.diff / "s").is_symlink()
    assert layer.rows["m"]["m"] == 0o711
    assert "m/stays" in layer.rows
    assert len(layer.list) == len(layer.rows)


def test_whiteouts_become_rows_and_not_files(tmp_path: Path) -> None:
    layer = Layer([images.whiteout("a/gone"), images.directory("b"), images.opaque("b")], tmp_path)
    marks = [(row["p"], row["t"]) for row in layer.list if row["t"] in "wo"]
    assert marks == [("a/gone", "w"), ("b", "o")]
    assert sorted(path.name for path in layer.diff.rglob("*")) == ["a", "b"]


def test_a_member_below_an_absolute_symlink_stays_inside(tmp_path: Path) -> None:
    target = tmp_path / "victim"
    target.mkdir()
    place = tmp_path / "layer"
    place.mkdir()
    layer = Layer([images.symlink("l", str(target)), images.file("l/x", "evil")], place)
    assert list(target.iterdir()) == []
    assert (Path(f"{layer.diff}{target}") / "x").read_text() == "evil"


@pytest.mark.parametrize(
    "members",
    [
        [images.file("../x")],
        [images.symlink("l", "../.."), images.file("l/x")],
        [images.symlink("a", "b"), images.symlink("b", "a"), images.file("a/x")],
        [images.hardlink("l", "../../etc/passwd")],
        [images.hardlink("l", "missing")],
        [images.directory("d"), images.hardlink("l", "d")],
        [images.symlink("s", "/etc"), images.hardlink("l", "s/passwd")],
        [images.file("f"), images.file("f/x")],
        [images.file(".")],
        [images.file("")],
        [images.symlink("s", "")],
        [images.symlink("s", "x" * 5000)],
        [images.char("c", 1 << 13, 0)],
    ],
)
def test_an_unsafe_or_impossible_member_is_refused(
    members: list[images.Member], tmp_path: Path
) -> None:
    with pytest.raises(CorruptData):
        Layer(members, tmp_path)


def test_the_diff_id_covers_the_whole_uncompressed_tar_with_its_tail(tmp_path: Path) -> None:
    data = images.tar([images.file("f", "x")]) + b"tail after the end"
    assert Layer(gzip.compress(data), tmp_path).unpacked.diff_id == digest_of(data)


def test_a_gigabyte_of_zeros_takes_no_space(tmp_path: Path) -> None:
    compressed_zeros = images.zeros_in_gzip(1 << 30)
    layer = Layer(compressed_zeros, tmp_path)
    status = os.stat(layer.diff / "zeros")
    assert status.st_size == 1 << 30
    assert status.st_blocks * 512 < 1 << 20
    assert layer.unpacked.info.size == 1 << 30


def test_a_layer_that_does_not_fit_on_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "free_bytes", lambda _path: 1 << 20)
    with pytest.raises(StoreFull):
        Layer(images.zeros_in_gzip(1 << 22), tmp_path)


def test_implied_parent_directories_count_as_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "_MEMBER_LIMIT", 50)
    data = images.tar([images.file("d/" * n + "f") for n in (20, 40, 60)])
    with pytest.raises(Unsupported, match="more than 50 members"):
        unpack_layer(io.BytesIO(data), tmp_path)


def test_a_sparse_member_keeps_its_holes(tmp_path: Path) -> None:
    pax = {
        "GNU.sparse.major": b"1",
        "GNU.sparse.minor": b"0",
        "GNU.sparse.name": b"real",
        "GNU.sparse.realsize": b"10000000",
    }
    table = b"2\n1000\n3\n9999990\n4\n".ljust(512, b"\0")
    layer = Layer([images.file("fake", table + b"abcdefg", pax=pax)], tmp_path)
    data = (layer.diff / "real").read_bytes()
    assert len(data) == 10_000_000
    assert data[1000:1003] == b"abc"
    assert data[9_999_990:] == b"defg" + bytes(6)
    assert os.stat(layer.diff / "real").st_blocks * 512 < 100_000


def test_hard_links_count_once_in_the_size(tmp_path: Path) -> None:
    members = [images.file("a", "12345"), images.hardlink("b", "a"), images.file("c", "1")]
    assert Layer(members, tmp_path).unpacked.info.size == 6

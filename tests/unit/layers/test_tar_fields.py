# SPDX-License-Identifier: MIT
"""The fields of tar headers."""

from __future__ import annotations

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.tar_entry import TarEntry
from sandbox.layers.tar_fields import (
    apply_pax,
    check_entry,
    check_segments,
    number,
    old_sparse,
    parse_pax,
    read_map,
)


def entry(**fields: object) -> TarEntry:
    base = {"kind": "f", "mode": 0o644, "uid": 0, "gid": 0, "mtime_ns": 0, "size": 0}
    return TarEntry(b"name", **(base | fields))  # type: ignore[arg-type]


def pax(**records: bytes) -> bytes:
    data = b""
    for key, value in records.items():
        rest = b" " + key.replace("__", ".").encode() + b"=" + value + b"\n"
        length = len(rest) + 1
        while len(str(length)) + len(rest) != length:
            length += 1
        data += str(length).encode() + rest
    return data


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"0000755\0", 0o755),
        (b"  755 \0\0", 0o755),
        (b"\0" * 8, 0),
        (b"777\0garb", 0o777),
        (b"\x80" + bytes(3) + b"\1\0\0\0", 1 << 24),
        (b"\xff" * 8, -1),
    ],
)
def test_numbers_are_octal_or_binary(raw: bytes, value: int) -> None:
    assert number(raw) == value


@pytest.mark.parametrize("raw", [b"8", b"0x1", b"-1", b"1 2"])
def test_a_damaged_number_is_an_error(raw: bytes) -> None:
    with pytest.raises(CorruptData, match="a number in a header"):
        number(raw.ljust(8, b"\0"))


def test_an_extended_header_overrides_the_plain_one() -> None:
    found = entry(size=1, link=b"old")
    apply_pax(
        found,
        parse_pax(
            pax(
                path=b"long",
                linkpath=b"to",
                size=b"7",
                uid=b"5",
                mtime=b"-1.5",
                SCHILY__xattr__user__a=b"\0x",
            )
        ),
    )
    assert (found.name, found.link, found.size, found.uid) == (b"long", b"to", 7, 5)
    assert found.mtime_ns == -1_500_000_000
    assert found.xattrs == {b"user.a": b"\0x"}


def test_times_are_cut_to_nanoseconds() -> None:
    found = entry()
    apply_pax(found, parse_pax(pax(mtime=b"1.1234567899")))
    assert found.mtime_ns == 1_123_456_789


@pytest.mark.parametrize(
    "data",
    [
        b"5 a=b",
        b"9 path=x ",
        b"99 path=x\n",
        b"x path=x\n",
        b"4 =\n",
        b"0 a=b\n",
        b"7 path\n",
    ],
)
def test_a_damaged_extended_header_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptData, match="extended header"):
        parse_pax(data)


@pytest.mark.parametrize("records", [{"path": b"a\0b"}, {"linkpath": b"a\0"}, {"size": b"x"}])
def test_an_impossible_value_is_an_error(records: dict[str, bytes]) -> None:
    with pytest.raises(CorruptData):
        apply_pax(entry(), parse_pax(pax(**records)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"uid": 2**32 - 1}, "owner"), ({"gid": -1}, "owner"), ({"mtime_ns": 2**63}, "time")],
)
def test_an_impossible_owner_or_time_is_named_in_the_error(
    fields: dict[str, int], words: str
) -> None:
    with pytest.raises(CorruptData, match=f"impossible {words}"):
        check_entry(entry(**fields))


def test_sparse_maps_of_all_pax_formats_give_the_same_segments() -> None:
    listed = parse_pax(pax(GNU__sparse__size=b"100", GNU__sparse__map=b"0,10,50,5")).sparse
    assert listed is not None
    assert (listed.size, listed.segments) == (100, [(0, 10), (50, 5)])
    ahead = parse_pax(pax(GNU__sparse__major=b"1", GNU__sparse__realsize=b"100")).sparse
    assert ahead is not None
    assert ahead.segments is None
    assert read_map(iter([b"2\n0\n10\n50\n5\n".ljust(512, b"\0")]).__next__) == listed.segments


def test_the_map_of_an_old_gnu_sparse_file_continues_in_further_blocks() -> None:
    def octal(*numbers: int) -> bytes:
        return b"".join(b"%011o\0" % value for value in numbers)

    head = bytes(386) + octal(0, 1, 10, 1, 20, 1, 30, 1) + b"\1" + octal(100)
    more = octal(40, 1).ljust(504, b"\0") + b"\0"
    assert old_sparse(head.ljust(512, b"\0"), lambda: more.ljust(512, b"\0")) == (
        100,
        [(0, 1), (10, 1), (20, 1), (30, 1), (40, 1)],
    )


@pytest.mark.parametrize(
    "segments",
    [[(0, 5), (4, 1)], [(0, 7)], [(95, 10)], [(0, -1)]],
)
def test_an_inconsistent_sparse_map_is_an_error(segments: list[tuple[int, int]]) -> None:
    with pytest.raises(CorruptData, match="sparse file"):
        check_segments(entry(size=100, stored=6, segments=segments))


def test_a_consistent_sparse_map_is_accepted() -> None:
    check_segments(entry(size=100, stored=6, segments=[(0, 5), (99, 1)]))

# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.layer_entries import Entries
from sandbox.native.layer_table import Record

_OPEN: list[Entries] = []


@pytest.fixture(autouse=True)
def _no_file_is_left_open() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def model(**links: str) -> Entries:
    """Return a tree with directory "dir", file "file" and the given symlinks."""
    entries = Entries(Path(tempfile.gettempdir()))
    _OPEN.append(entries)
    entries.put(b"dir", Record("d", 0o755, 0, 0, 0))
    entries.put(b"dir/sub", Record("d", 0o755, 0, 0, 0))
    entries.put(b"file", Record("f", 0o644, 0, 0, 0, size=5))
    for name, target in links.items():
        entries.put(name.encode(), Record("l", 0o777, 0, 0, 0, link=target.encode()))
    return entries


def rows_of(entries: Entries) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    with tempfile.TemporaryFile() as file:
        count = entries.table.write(file.fileno())
        file.seek(0)
        rows = [json.loads(line) for line in file]
    assert len(rows) == count
    return rows


@pytest.mark.parametrize(
    ("name", "parent", "last"),
    [
        (b"a", b".", b"a"),
        (b"./a/", b".", b"a"),
        (b"/a", b".", b"a"),
        (b"dir/./x", b"dir", b"x"),
        (b"dir/../x", b".", b"x"),
        (b"link/x", b"dir/sub", b"x"),
        (b"link", b".", b"link"),
        (b"root/x", b".", b"x"),
        (b"up/x", b".", b"x"),
        (b"dangling/x/y", b"dir/none/x", b"y"),
        (b"chain/x", b"dir/sub", b"x"),
        (b".", b".", b"."),
        (b"/", b".", b"."),
    ],
)
def test_a_name_is_resolved_inside_the_root(name: bytes, parent: bytes, last: bytes) -> None:
    entries = model(link="/dir/sub", root="/", up="dir/..", dangling="dir/none", chain="link/.")
    assert entries.place(name) == (parent, last)


@pytest.mark.parametrize(
    "name",
    [
        b"..",
        b"../x",
        b"a/../../x",
        b"/../x",
        b"out/x",
        b"loop/x",
        b"file/x",
        b"n" * 256,
        b"d/" * 2048 + b"x",
    ],
)
def test_a_name_that_leads_outside_or_cannot_be_resolved_is_refused(name: bytes) -> None:
    entries = model(out="dir/../../etc", loop="loop")
    with pytest.raises(CorruptData):
        entries.place(name)


def test_removed_entries_have_no_row() -> None:
    entries = model()
    entries.remove(b"dir/sub")
    entries.remove(b"dir")
    assert entries.get(b"dir/sub") is None
    entries.put(b"dir", Record("f", 0o600, 0, 0, 0))
    assert [row["p"] for row in rows_of(entries)] == ["file", "dir"]


def test_hard_links_count_once_and_name_each_other() -> None:
    entries = model()
    entries.link(b"second", b"file")
    entries.link(b"third", b"second")
    assert entries.table.size == 5
    entries.remove(b"file")
    assert entries.table.size == 5
    rows = {row["p"]: row for row in rows_of(entries)}
    assert "h" not in rows["second"]
    assert rows["third"] == {**rows["second"], "p": "third", "h": "second"}


def test_removing_the_last_hard_link_removes_the_size() -> None:
    entries = model()
    entries.link(b"second", b"file")
    entries.remove(b"file")
    entries.remove(b"second")
    assert entries.table.size == 0


def test_any_name_and_all_attributes_are_in_the_table() -> None:
    entries = model()
    name = bytes(range(1, 256)).replace(b"/", b"")
    entries.put(name, Record("l", 0o777, 2**32 - 2, 7, -1, link=b'\xff"\\\n'))
    entries.put(b"null", Record("c", 0o4666, 0, 0, 2**63 - 1, rdev=(1, 3)), {b"user.\xe9": b"\0v"})
    *_, link, device = rows_of(entries)
    assert link["p"].encode("latin-1") == name
    assert (link["l"].encode("latin-1"), link["u"], link["mt"]) == (b'\xff"\\\n', 2**32 - 2, -1)
    assert device == {
        "p": "null",
        "t": "c",
        "m": 0o4666,
        "u": 0,
        "g": 0,
        "mt": 2**63 - 1,
        "rdev": [1, 3],
        "x": {"user.é": "AHY="},
    }


def test_a_directory_that_is_repeated_keeps_its_row_and_its_entries() -> None:
    entries = model()
    entries.put(b"dir", Record("d", 0o700, 5, 6, 7), {b"user.a": b"b"})
    first, second, _ = rows_of(entries)
    assert (first["p"], first["m"], first["u"], first["x"]) == ("dir", 0o700, 5, {"user.a": "Yg=="})
    assert second["p"] == "dir/sub"


def test_many_names_are_found_again() -> None:
    entries = model()
    names = [b"d/%d" % number for number in range(20_000)]
    for name in names:
        entries.put(name, Record("f", 0o644, 0, 0, 0, size=1))
    for name in names[::2]:
        entries.remove(name)
    assert [entries.get(name) is None for name in names] == [True, False] * 10_000
    assert entries.table.size == 10_005
    assert [row["p"].encode() for row in rows_of(entries)][3:] == names[1::2]


def test_a_whiteout_of_an_entry_in_the_same_layer_only_hides_lower_layers() -> None:
    entries = model()
    entries.mark_whiteout(b".", b"dir")
    entries.mark_whiteout(b".", b"file")
    entries.mark_whiteout(b"dir", b"gone")
    marks = [(row["p"], row["t"]) for row in rows_of(entries) if row["t"] in "wo"]
    assert marks == [("dir", "o"), ("dir/gone", "w")]

# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.entries import Entries, Inode


def model(**links: str) -> Entries:
    """Return a tree with directory "dir", file "file" and the given symlinks."""
    entries = Entries()
    entries.put(b"dir", Inode("d", 0o755, 0, 0, 0))
    entries.put(b"dir/sub", Inode("d", 0o755, 0, 0, 0))
    entries.put(b"file", Inode("f", 0o644, 0, 0, 0, size=5))
    for name, target in links.items():
        entries.put(name.encode(), Inode("l", 0o777, 0, 0, 0, link=target.encode()))
    return entries


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
def test_a_name_that_leads_out_or_nowhere_is_refused(name: bytes) -> None:
    entries = model(out="dir/../../etc", loop="loop")
    with pytest.raises(CorruptData):
        entries.place(name)


def test_removing_a_directory_forgets_all_below_it() -> None:
    entries = model()
    entries.remove(b"dir")
    assert entries.get(b"dir/sub") is None
    assert [row["p"] for row in entries.rows()] == ["file"]


def test_the_names_of_one_file_count_once_and_know_each_other() -> None:
    entries = model()
    inode = entries.get(b"file")
    assert inode is not None
    entries.put(b"second", inode)
    assert entries.size == 5
    assert {row["p"]: row.get("h") for row in entries.rows()}["second"] == "file"
    entries.remove(b"file")
    assert entries.size == 5
    entries.remove(b"second")
    assert entries.size == 0


def test_a_whiteout_next_to_an_entry_of_the_same_layer_hides_only_what_is_below() -> None:
    entries = model()
    entries.mark_whiteout(b".", b"dir")
    entries.mark_whiteout(b".", b"file")
    entries.mark_whiteout(b"dir", b"gone")
    marks = [(row["p"], row["t"]) for row in entries.rows() if row["t"] in "wo"]
    assert marks == [("dir", "o"), ("dir/gone", "w")]

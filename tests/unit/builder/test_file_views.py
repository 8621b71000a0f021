# SPDX-License-Identifier: MIT
"""The files that COPY reads."""

from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.builder.file_views import HostView, Written, clean, resolve, walk
from sandbox.errors import CorruptData


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    top = tmp_path / "context"
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "f").write_text("file")
    (top / "d" / "e" / "g").write_text("deep")
    (top / "abs").symlink_to("/d/f")
    (top / "out").symlink_to("../../../etc/passwd")
    (top / "round").symlink_to("round")
    return top


def test_facts_are_those_of_the_file_and_the_owner_is_root(root: pathlib.Path) -> None:
    (root / "d" / "f").chmod(0o4640)
    fact = HostView(str(root)).fact(b"d/f")
    assert fact is not None
    assert (fact.kind, fact.mode & 0o777, fact.uid, fact.size) == ("f", 0o640, 0, 4)
    assert HostView(str(root)).fact(b"none") is None


def test_links_lead_to_places_inside(root: pathlib.Path) -> None:
    view = HostView(str(root))
    assert resolve(view, b"abs") == b"d/f"
    assert resolve(view, b"out") == b"etc/passwd", "as if the context were all there is"
    assert resolve(view, b"abs", follow=False) == b"abs"
    assert resolve(view, b"none/x") == b"none/x"
    with pytest.raises(CorruptData, match="too many links"):
        resolve(view, b"round")


def test_what_is_left_out_is_not_there_but_holds_what_is_let_in(root: pathlib.Path) -> None:
    view = HostView(str(root), lambda path: path.startswith("d") and path != "d/e/g")
    assert view.names(b"") == sorted([b"abs", b"d", b"out", b"round"])
    assert view.names(b"d") == [b"e"]
    assert view.names(b"d/e") == [b"g"]


def test_a_walk_names_parents_first(root: pathlib.Path) -> None:
    found = [name for name, _ in walk(HostView(str(root)), b"d")]
    assert found == [b"", b"e", b"e/g", b"f"]


def test_a_socket_is_no_file(root: pathlib.Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(root)
        try:
            listener.bind("s")
        finally:
            os.chdir(here)
    with HostView(str(root)).open(b"s") as file:
        assert file.read() == b""


def test_content_may_be_in_memory() -> None:
    view = Written({b"a": b"1"}, mode=0o600, mtime_ns=5)
    fact = view.fact(b"a")
    assert fact is not None
    assert (fact.mode, fact.size, fact.mtime_ns) == (0o600, 1, 5)
    assert (view.names(b""), view.names(b"a")) == ([b"a"], [])
    assert view.fact(b"b") is None
    with view.open(b"a") as file:
        assert file.read() == b"1"


def test_no_path_leads_above_the_top() -> None:
    assert [clean(path) for path in ("/", "a//b/.", "../../a", "a/../../b")] == [
        b"",
        b"a/b",
        b"a",
        b"b",
    ]

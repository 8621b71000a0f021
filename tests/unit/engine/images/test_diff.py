# SPDX-License-Identifier: MIT
"""``image diff``: the files that differ between two images."""

from __future__ import annotations

import json

import pytest

from sandbox.cli.main import main
from sandbox.engine.images.diff import patch_of
from sandbox.errors import UsageError
from tests.harness import images
from tests.harness.store import Store

BASE = [
    images.directory("etc"),
    images.file("etc/os", "one\ntwo\n"),
    images.file("etc/same", "same"),
    images.file("big", images.noise(50_000)),
    images.file("binary", b"\0one"),
]


def test_added_changed_and_deleted_files_are_listed_with_their_patches(engine: Store) -> None:
    engine.load([BASE], tags=["a:1"])
    changes = [
        images.file("etc/os", "one\nthree"),
        images.file("etc/same", "same", mtime=5),
        images.file("etc/new", "new\n"),
        images.whiteout("big"),
        images.file("binary", b"\0two"),
    ]
    engine.load([BASE, changes], tags=["b:1"])
    found = {item.path: item for item in engine.images.diff("a:1", "b:1")}
    assert {path: item.kind for path, item in found.items()} == {
        "big": "D",
        "binary": "C",
        "etc/new": "A",
        "etc/os": "C",
    }
    assert patch_of(found["etc/os"]) == (
        "--- a/etc/os\n+++ b/etc/os\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
        "\\ No newline at end of file\n"
    )
    assert patch_of(found["etc/new"]).startswith("--- /dev/null\n+++ b/etc/new\n")
    assert patch_of(found["binary"]) == "Binary files a/binary and b/binary differ\n"
    assert list(engine.images.diff("b:1", "b:1")) == []
    with pytest.raises(UsageError, match="host"):
        list(engine.images.diff("host", "b:1"))


def test_patches_and_reports_keep_names_that_are_not_ascii_and_odd_line_ends(
    engine: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [images.file("grün", "a\fb\u2028c\r\n")]
    engine.load([old], tags=["a:1"])
    engine.load(
        [old, [images.file("grün", "a\fb\u2028d\r\n"), images.file(b"\xff", "x\n")]], tags=["b:1"]
    )
    [changed, new] = engine.images.diff("a:1", "b:1")
    assert patch_of(changed) == (
        "--- a/grün\n+++ b/grün\n@@ -1 +1 @@\n-a\fb\u2028c\r\n+a\fb\u2028d\r\n"
    )
    assert patch_of(new).encode("utf-8", "surrogateescape").splitlines()[1] == b"+++ b/\xff"
    capsys.readouterr()
    assert main(["image", "explore", "--json", "b:1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["WastedFiles"] == [{"Path": "/grün", "Size": 9}]
    assert report["Layers"][0]["Added"] == report["Layers"][1]["Changed"] == ["/grün"]
    assert report["Layers"][1]["Added"] == ["/\udcff"]
    assert main(["image", "explore", "a:1"]) == 0
    assert capsys.readouterr().out.startswith("1 layer, 9B; wasted")


def test_modes_and_owners_are_differences(engine: Store) -> None:
    engine.load(
        [[images.file("x", "1"), images.file("y", "1"), images.file("z", "1")]], tags=["a:1"]
    )
    other = [images.file("x", "1", mode=0o4755), images.file("y", "1", uid=9)]
    other.append(images.xattr(images.file("z", "1"), "user.a", b"b"))
    engine.load([other], tags=["b:1"])
    found = list(engine.images.diff("a:1", "b:1"))
    assert [(item.kind, item.path) for item in found] == [("C", "x"), ("C", "y"), ("C", "z")]

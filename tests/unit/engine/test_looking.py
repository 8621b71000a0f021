# SPDX-License-Identifier: MIT
"""Comparing and exploring images, and the room they take."""

from __future__ import annotations

import io
import json
import os
import pathlib
import subprocess
from typing import Any

import pytest

from sandbox.cli.images.image_tree import tree_lines
from sandbox.cli.images.layer_report import report_lines
from sandbox.cli.main import main
from sandbox.engine import Engine
from sandbox.engine.containers.config import CreateRequest
from sandbox.engine.images.diff import patch_of
from sandbox.errors import Conflict, UsageError
from sandbox.store.fsck import check
from sandbox.store.layout import default_root
from tests.harness import images

BASE = [
    images.directory("etc"),
    images.file("etc/os", "one\ntwo\n"),
    images.file("etc/same", "same"),
    images.file("big", images.noise(50_000)),
    images.file("binary", b"\0one"),
]


@pytest.fixture
def engine() -> Engine:
    return Engine()


def load(engine: Engine, tag: str | None, *layers: list[images.Member]) -> str:
    path = default_root().parent / "archive.tar"
    images.docker_archive(list(layers), tags=[tag] if tag else None, path=path)
    return engine.images.load(str(path))[0].id


def test_what_differs_between_images(engine: Engine) -> None:
    load(engine, "a:1", BASE)
    changes = [
        images.file("etc/os", "one\nthree"),
        images.file("etc/same", "same", mtime=5),
        images.file("etc/new", "new\n"),
        images.whiteout("big"),
        images.file("binary", b"\0two"),
    ]
    load(engine, "b:1", BASE, changes)
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


def test_a_patch_and_a_report_have_names_and_lines_as_they_are(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [images.file("grün", "a\fb\u2028c\r\n")]
    load(engine, "a:1", old)
    load(engine, "b:1", old, [images.file("grün", "a\fb\u2028d\r\n"), images.file(b"\xff", "x\n")])
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


def test_modes_and_owners_are_differences(engine: Engine) -> None:
    load(engine, "a:1", [images.file("x", "1"), images.file("y", "1"), images.file("z", "1")])
    other = [images.file("x", "1", mode=0o4755), images.file("y", "1", uid=9)]
    other.append(images.xattr(images.file("z", "1"), "user.a", b"b"))
    load(engine, "b:1", other)
    found = list(engine.images.diff("a:1", "b:1"))
    assert [(item.kind, item.path) for item in found] == [("C", "x"), ("C", "y"), ("C", "z")]


def test_layers_and_what_they_waste(engine: Engine) -> None:
    load(engine, "a:1", BASE, [images.whiteout("big"), images.file("etc/os", "x")], [])
    report = engine.images.explore("a:1")
    assert [len(layer.added) for layer in report.layers] == [5, 0, 0]
    assert [path for path, _ in report.layers[1].changed] == ["etc/os"]
    assert report.layers[1].removed == ("big",)
    assert report.wasted == (("big", 50_000), ("etc/os", 8))
    text = "\n".join(report_lines(report))
    assert "3 layers" in text
    assert "/big" in text


def test_the_tree_of_images(engine: Engine) -> None:
    load(engine, "base:1", BASE)
    load(engine, "app:1", BASE, [images.file("app", "1")], [images.file("more", "1")])
    load(engine, "web:1", BASE, [images.file("web", "1")])
    lines = list(tree_lines(engine.images.list()))
    assert len(lines) == 6
    assert "(1 layer)" in lines[0]
    assert any("base:1" in line and line.startswith("├─ ") for line in lines)
    assert any("(2 layers)" in line for line in lines)


def du(path: pathlib.Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", path], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def test_df_counts_what_du_counts(engine: Engine) -> None:
    load(engine, "a:1", BASE, [images.file("x", images.noise(300_000))])
    load(engine, "b:1", BASE, [images.file("y", images.noise(200_001))])
    usage = engine.system.df()
    assert abs(usage.total - du(default_root())) <= du(default_root()) / 100
    assert all(item.shared > 50_000 for item in usage.images)
    assert usage.images_reclaimable > 500_000


def test_prune_takes_what_has_no_name(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    first = load(engine, "a:1", [images.file("a", images.noise(70_000))])
    load(engine, "a:1", [images.file("b")])
    assert main(["image", "prune", "-f"]) == 0
    out = capsys.readouterr().out
    assert first in out
    assert "Total reclaimed space: " in out
    assert "reclaimed space: 0B" not in out
    assert [image.repo_tags for image in engine.images.list()] == [("docker.io/library/a:1",)]
    assert main(["image", "prune", "-a", "-f"]) == 0
    assert engine.images.list() == []
    assert os.listdir(engine.layout.layers) == os.listdir(engine.layout.blobs) == []


def test_prune_asks_first(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load(engine, None, [images.file("a")])
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["image", "prune"]) == 0
    assert capsys.readouterr().out == (
        "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] "
    )
    assert len(engine.images.list()) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(" Y\n"))
    assert main(["image", "prune"]) == 0
    assert engine.images.list() == []


def test_system_prune_sweeps(engine: Engine) -> None:
    load(engine, "a:1", [images.file("a")])
    layout = engine.layout
    (layout.downloads / ("0" * 64)).write_bytes(b"x" * 10_000)
    (layout.blobs / ("1" * 64)).write_bytes(b"x" * 10_000)
    (layout.layers / ("2" * 64)).mkdir()
    (layout.tmp / "left").mkdir()
    pruned = engine.system.prune()
    assert pruned.freed > 20_000
    assert check(layout, repair=False) == []
    assert os.listdir(layout.downloads) == os.listdir(layout.tmp) == []
    assert len(engine.images.list()) == 1


@pytest.mark.parametrize("until", ["1h", "2020-01-01T00:00:00Z", "1577836800"])
def test_system_prune_takes_any_form_of_a_moment_also_for_the_build_cache(
    engine: Engine, until: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load(engine, "a:1", [images.file("a")])
    assert main(["create", "--name", "young", "a:1", "/x"]) == 0
    assert main(["system", "prune", "-f", "--filter", f"until={until}"]) == 0
    assert "Total reclaimed space: " in capsys.readouterr().out
    assert [item.config.name for item in engine.containers.list()] == ["young"]


def test_what_a_container_uses_stays(engine: Engine) -> None:
    image_id = load(engine, "a:1", [images.file("a")])
    request: Any = CreateRequest(image="a:1", args=("/a",))
    container = engine.containers.create(request)
    load(engine, "a:1", [images.file("b")])
    assert engine.images.prune(everything=True).deleted
    assert [image.id for image in engine.images.list()] == [image_id]
    with pytest.raises(Conflict):
        engine.images.remove(image_id)
    pruned = engine.system.prune(everything=True)
    assert pruned.containers == [container.config.id]
    assert engine.images.list() == []


def test_the_commands(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    load(engine, "a:1", BASE, [images.file("etc/os", "x\n")])
    load(engine, "b:1", BASE)
    for arguments, expected in {
        "image ls": "a",
        "image list -q": engine.images.get("a:1").short_id,
        "image history a:1": "layer 1",
        "image diff b:1 a:1": "C /etc/os",
        "image diff -p b:1 a:1": "+x",
        "image explore a:1": "2 layers",
        "image explore --layer 2 a:1": "C        2B  /etc/os",
        "image tree": "b:1",
        "images --tree": "a:1",
        "system df": "RECLAIMABLE",
        "system df -v": "UNIQUE SIZE",
        "image --help": "explore",
    }.items():
        assert main(arguments.split()) == 0, arguments
        assert expected in capsys.readouterr().out, arguments
    assert main(["image", "inspect", "a:1"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["RepoTags"] == ["a:1"]
    assert main(["image", "explore", "--json", "a:1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["Layers"]) == 2
    assert main(["image", "explore", "--layer", "9", "a:1"]) == 1
    assert main(["image", "nonsense"]) == 1


def test_df_has_docker_s_rows_and_tables(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    load(engine, "a:1", BASE)
    assert main(["volume", "create", "data"]) == 0
    (engine.layout.root / "volumes/data/_data/file").write_bytes(images.noise(50_000))
    assert main(["create", "--name", "box", "-v", "data:/data", "a:1", "/x"]) == 0
    assert main(["volume", "create", "spare"]) == 0
    capsys.readouterr()

    assert main(["system", "df", "--format", "{{.Type}}:{{.TotalCount}}:{{.Active}}"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown == ["Images:1:1", "Containers:1:0", "Local Volumes:2:1", "Build Cache:0:0"]

    assert main(["system", "df", "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(row) for row in rows] == [
        {"Type", "TotalCount", "Active", "Size", "Reclaimable"}
    ] * 4
    assert rows[2]["Reclaimable"] != rows[2]["Size"]

    assert main(["system", "df", "-v"]) == 0
    text = capsys.readouterr().out
    for line in (
        "REPOSITORY TAG IMAGE ID CREATED SIZE SHARED SIZE UNIQUE SIZE CONTAINERS",
        "CONTAINER ID IMAGE COMMAND LOCAL VOLUMES SIZE CREATED STATUS NAMES",
        "VOLUME NAME LINKS SIZE",
        "Build cache usage: 0B",
        "CACHE ID CACHE TYPE SIZE CREATED LAST USED USAGE SHARED",
    ):
        assert line in [" ".join(shown.split()) for shown in text.splitlines()]

    assert main(["system", "df", "-v", "--format", "json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert [item["Links"] for item in whole["Volumes"]] == ["1", "0"]
    assert whole["Containers"][0]["Names"] == "box"
    assert whole["Images"][0]["Containers"] == "1"
    template = "{{range .Volumes}}{{.Name}} {{end}}"
    assert main(["system", "df", "-v", "--format", template]) == 0
    assert capsys.readouterr().out == "data spare \n"

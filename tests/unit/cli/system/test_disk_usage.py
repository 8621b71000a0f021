# SPDX-License-Identifier: MIT
"""``system df``: rows, tables and JSON as Docker has them."""

from __future__ import annotations

import json
import pathlib

import pytest

from sandbox.cli.main import main
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

BASE = [
    images.directory("etc"),
    images.file("etc/os", "one\ntwo\n"),
    images.file("etc/same", "same"),
    images.file("big", images.noise(50_000)),
    images.file("binary", b"\0one"),
]


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Store:
    return Store(Layout(tmp_path / "store"))


def test_df_has_docker_s_rows_and_tables(engine: Store, capsys: pytest.CaptureFixture[str]) -> None:
    engine.load([BASE], tags=["a:1"])
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

# SPDX-License-Identifier: MIT
"""The commands about images."""

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


def test_the_commands(engine: Store, capsys: pytest.CaptureFixture[str]) -> None:
    engine.load([BASE, [images.file("etc/os", "x\n")]], tags=["a:1"])
    engine.load([BASE], tags=["b:1"])
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

# SPDX-License-Identifier: MIT
"""Records of the cached steps of builds."""

from __future__ import annotations

import json
import pathlib

import pytest

from sandbox.models.digest import digest_of
from sandbox.store import build_cache
from sandbox.store.images import ImageStore, NewImage
from sandbox.store.layout import Layout

ONE = digest_of(b"1")


@pytest.mark.parametrize(("boot", "is_built", "synced"), [("", 0, 0), ("now", 0, 1), ("now", 1, 0)])
def test_layers_of_an_unfinished_build_are_synced_before_an_image_uses_them(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, boot: str, is_built: int, synced: int
) -> None:
    layout = Layout(tmp_path / "store")
    layout.prepare()
    layout.layer(ONE).mkdir()
    layout.layer_info(ONE).write_text('{"size": 0, "entries": 0}')
    step = build_cache.Step(layer=ONE, created="", description="", boot=boot)
    build_cache.write_step(layout, "a" * 64, step)
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [ONE]},
    }
    seen: list[bool] = []
    monkeypatch.setattr(
        build_cache,
        "sync_file_system",
        lambda _: seen.append(any(layout.images.glob("*.json"))),
    )
    image = NewImage(json.dumps(document).encode(), is_settled=bool(is_built))
    ImageStore(layout).add([image], {})
    assert seen == [False] * synced, "synced after the image got a record"

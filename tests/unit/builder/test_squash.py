# SPDX-License-Identifier: MIT
"""Layers put one on the other; records of steps."""

from __future__ import annotations

import json
import pathlib

import pytest

from sandbox.builder.squash import Merged
from sandbox.layers.layer_tar import Row
from sandbox.models.digest import digest_of
from sandbox.store import build_cache
from sandbox.store.images import ImageStore, NewImage
from sandbox.store.layout import Layout
from sandbox.store.unsynced_steps import drop_unsynced_steps

ONE, TWO = digest_of(b"1"), digest_of(b"2")


def merged(*layers: list[tuple[str, str]]) -> tuple[list[str], dict[str, str]]:
    result = Merged()
    for number, rows in enumerate(layers):
        result.add(digest_of(b"%d" % number), [Row(p=path, t=kind) for path, kind in rows])
    return sorted(result.files), result.marks


def test_what_a_later_layer_removes_is_gone_and_stays_removed_below() -> None:
    assert merged([("d", "d"), ("d/f", "f")], [("d", "w")]) == ([], {"d": "w"})


def test_a_file_in_the_place_of_what_was_removed_hides_it() -> None:
    assert merged([("f", "w")], [("f", "f")]) == (["f"], {})


def test_a_directory_in_the_place_of_one_that_was_removed_is_opaque() -> None:
    assert merged([("d", "w")], [("d", "d"), ("d/n", "f")]) == (["d", "d/n"], {"d": "o"})


def test_a_file_that_replaces_a_directory_takes_all_in_it_away() -> None:
    assert merged([("d", "d"), ("d/f", "f")], [("d", "f")]) == (["d"], {})


def test_an_opaque_directory_shows_only_what_is_new() -> None:
    assert merged([("d", "d"), ("d/f", "f")], [("d", "d"), ("d", "o"), ("d/g", "f")]) == (
        ["d", "d/g"],
        {"d": "o"},
    )


def test_a_step_of_another_boot_counts_once_it_is_known_to_be_on_the_disk(
    tmp_path: pathlib.Path,
) -> None:
    layout = Layout(tmp_path / "store")
    layout.prepare()
    for layer in (ONE, TWO):
        layout.layer(layer).mkdir()
    for key, layer, boot in (("a" * 64, ONE, "another"), ("b" * 64, TWO, build_cache.boot_id())):
        step = build_cache.Step(layer=layer, created="", description="", boot=boot)
        build_cache.write_step(layout, key, step)
    assert build_cache.read_step(layout, "a" * 64) is None
    assert build_cache.read_step(layout, "b" * 64) is not None
    layout.build_boot.write_text("another")
    drop_unsynced_steps(layout)
    assert not layout.layer(ONE).exists(), "its files may be torn"
    assert layout.build_boot.read_text() == build_cache.boot_id()
    assert layout.layer(TWO).exists()
    build_cache.settle(layout, ["b" * 64])
    settled = build_cache.read_step(layout, "b" * 64)
    assert settled is not None
    assert settled.boot == ""


def test_the_records_are_looked_at_once_in_each_boot(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "store")
    layout.prepare()
    looked: list[Layout] = []
    monkeypatch.setattr(build_cache, "steps", lambda where: looked.append(where) or [])
    for boot in ("one", "one", "two", "two"):
        monkeypatch.setattr(build_cache, "boot_id", lambda boot=boot: boot)
        drop_unsynced_steps(layout)
    assert len(looked) == 2


@pytest.mark.parametrize(("boot", "is_built", "synced"), [("", 0, 0), ("now", 0, 1), ("now", 1, 0)])
def test_an_image_that_takes_a_layer_of_an_unfinished_build_has_it_made_durable_first(
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
    assert seen == [False] * synced, "before the image has a record"

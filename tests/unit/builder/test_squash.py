# SPDX-License-Identifier: MIT
"""Layers put one on the other; records of steps."""

from __future__ import annotations

import pathlib

from sandbox.builder.squash import Merged
from sandbox.layers.repack import Row
from sandbox.models.digest import digest_of
from sandbox.store import buildcache
from sandbox.store.layout import Layout

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
    for key, layer, boot in (("a" * 64, ONE, "another"), ("b" * 64, TWO, buildcache.boot_id())):
        step = buildcache.Step(layer=layer, created="", description="", boot=boot)
        buildcache.write_step(layout, key, step)
    assert buildcache.read_step(layout, "a" * 64) is None
    assert buildcache.read_step(layout, "b" * 64) is not None
    buildcache.forget_unsafe(layout)
    assert not layout.layer(ONE).exists(), "its files may be torn"
    assert layout.layer(TWO).exists()
    buildcache.settle(layout, ["b" * 64])
    settled = buildcache.read_step(layout, "b" * 64)
    assert settled is not None
    assert settled.boot == ""

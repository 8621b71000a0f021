# SPDX-License-Identifier: MIT
"""Layers put one on the other."""

from __future__ import annotations

from sandbox.builder.squash import Merged
from sandbox.layers.layer_tar import Row
from sandbox.models.digest import digest_of

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

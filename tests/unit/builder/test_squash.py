# SPDX-License-Identifier: MIT
"""Several layers merged into one."""

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


def test_a_removed_file_is_absent_and_hidden_in_lower_layers() -> None:
    assert merged([("d", "d"), ("d/f", "f")], [("d", "w")]) == ([], {"d": "w"})


def test_a_file_created_after_a_removal_replaces_the_whiteout() -> None:
    assert merged([("f", "w")], [("f", "f")]) == (["f"], {})


def test_a_directory_recreated_after_its_removal_is_opaque() -> None:
    assert merged([("d", "w")], [("d", "d"), ("d/n", "f")]) == (["d", "d/n"], {"d": "o"})


def test_a_file_that_replaces_a_directory_removes_its_content() -> None:
    assert merged([("d", "d"), ("d/f", "f")], [("d", "f")]) == (["d"], {})


def test_an_opaque_directory_shows_only_new_entries() -> None:
    assert merged([("d", "d"), ("d/f", "f")], [("d", "d"), ("d", "o"), ("d/g", "f")]) == (
        ["d", "d/g"],
        {"d": "o"},
    )

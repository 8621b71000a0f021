# SPDX-License-Identifier: MIT
from __future__ import annotations

from sandbox.layers.layer_tar import Row
from sandbox.layers.merged_tree import Tree


def rows(text: str) -> list[Row]:
    """Return the rows that a text such as "d:a f:a/b w:c" describes."""
    return [Row(p=item[2:], t=item[0]) for item in text.split()]


def merged(*layers: str) -> dict[str, int]:
    tree = Tree()
    for layer in layers:
        tree.add_layer(rows(layer))
    return {path: node.layer for path, node in tree.nodes.items()}


def test_later_layers_win() -> None:
    assert merged("d:a f:a/b", "f:a/b f:c") == {"a": 0, "a/b": 1, "c": 1}


def test_a_whiteout_removes_everything_below_it() -> None:
    assert merged("d:a d:a/b f:a/b/c f:d", "w:a") == {"d": 0}


def test_whiteouts_only_affect_lower_layers() -> None:
    assert merged("d:a f:a/old", "d:a f:a/new o:a") == {"a": 1, "a/new": 1}
    assert merged("f:x", "f:x w:x") == {"x": 1}


def test_a_file_replaces_a_directory_and_the_other_way_round() -> None:
    assert merged("d:a f:a/b", "f:a") == {"a": 1}
    assert merged("f:a", "d:a f:a/b") == {"a": 1, "a/b": 1}


def test_the_changes_of_a_layer_are_listed() -> None:
    tree = Tree()
    tree.add_layer(rows("d:a f:a/b f:c f:e"))
    changes = tree.add_layer(rows("f:c f:d w:a"))
    assert (changes.added, changes.changed, changes.removed) == (["d"], ["c"], ["a", "a/b"])
    assert sorted(node.row.p for node in changes.hidden) == ["a", "a/b", "c"]

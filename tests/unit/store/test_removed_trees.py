# SPDX-License-Identifier: MIT
"""Large trees are deleted behind the command that removes them, and after a crash by the next."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Iterator

import pytest

from sandbox.store import atomic_files, removed_trees, sweeper
from sandbox.store.atomic_files import discard, remove_tree
from sandbox.store.garbage_collection import drop_leftovers
from sandbox.store.layout import Layout


@pytest.fixture
def layout(tmp_path: pathlib.Path) -> Layout:
    made = Layout(tmp_path / "store")
    made.prepare()
    return made


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Layout]:
    """Count the starts of sweepers instead of starting them."""
    found: list[Layout] = []
    monkeypatch.setattr(removed_trees, "_start_sweeper", lambda layout, _: found.append(layout))
    return found


@pytest.fixture
def _no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic_files, "_MOMENT", -1.0)


def make_tree(path: pathlib.Path) -> pathlib.Path:
    for number in range(3):
        (path / str(number)).mkdir(parents=True)
        (path / str(number) / "file").write_text("x")
    return path


def test_a_small_tree_is_deleted_at_once(layout: Layout, started: list[Layout]) -> None:
    tree = make_tree(layout.layers / "a")
    discard(tree, layout=layout)
    assert not tree.exists()
    assert removed_trees.waiting(layout) == []
    assert started == []


@pytest.mark.usefixtures("_no_time")
def test_a_large_tree_is_gone_at_once_and_deleted_behind(
    layout: Layout, started: list[Layout]
) -> None:
    tree = make_tree(layout.layers / "a")
    discard(tree, layout=layout)
    assert not tree.exists()
    assert len(removed_trees.waiting(layout)) == 1
    assert started == [layout]
    sweeper.sweep(layout)
    assert removed_trees.waiting(layout) == []


@pytest.mark.usefixtures("_no_time")
def test_one_process_sweeps_a_store(layout: Layout, started: list[Layout]) -> None:
    lock = removed_trees.take_lock(layout)
    assert lock is not None
    discard(make_tree(layout.layers / "a"), layout=layout)
    sweeper.sweep(layout)
    assert started == []
    assert len(removed_trees.waiting(layout)) == 1
    os.close(lock)
    sweeper.sweep(layout)
    assert removed_trees.waiting(layout) == []


@pytest.mark.usefixtures("_no_time")
def test_a_tree_that_is_removed_while_the_sweeper_ends_is_swept(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, started: list[Layout]
) -> None:
    trees: Iterator[pathlib.Path] = iter([make_tree(layout.layers / name) for name in "ab"])
    discard(next(trees), layout=layout)

    def remove_one_more(path: pathlib.Path) -> None:
        remove_tree(path)
        for tree in trees:
            discard(tree, layout=layout)

    monkeypatch.setattr(sweeper, "remove_tree", remove_one_more)
    sweeper.sweep(layout)
    assert removed_trees.waiting(layout) == []
    assert len(started) == 1


@pytest.mark.usefixtures("_no_time", "started")
def test_a_prune_counts_what_a_killed_sweeper_left_and_sweeps_it(layout: Layout) -> None:
    discard(make_tree(layout.layers / "a"), layout=layout)
    assert drop_leftovers(layout).freed > 0
    sweeper.sweep(layout)
    assert removed_trees.waiting(layout) == []


@pytest.mark.usefixtures("_no_time")
def test_a_real_process_sweeps(layout: Layout) -> None:
    discard(make_tree(layout.layers / "a"), layout=layout)
    deadline = time.monotonic() + 60
    while removed_trees.waiting(layout) and time.monotonic() < deadline:
        os.sched_yield()
    assert removed_trees.waiting(layout) == []


def test_a_tree_that_cannot_be_deleted_does_not_stop_the_others(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = [make_tree(removed_trees.new_place(layout)) for _ in range(2)]

    def refuse_the_first(path: pathlib.Path) -> None:
        if path == min(trees):
            raise OSError
        remove_tree(path)

    monkeypatch.setattr(sweeper, "remove_tree", refuse_the_first)
    sweeper.sweep(layout)
    assert removed_trees.waiting(layout) == [min(trees)]


def test_a_removal_ends_in_time_and_can_be_continued(tmp_path: pathlib.Path) -> None:
    tree = make_tree(tmp_path / "tree")
    with pytest.raises(TimeoutError):
        remove_tree(tree, until=time.monotonic() - 1)
    remove_tree(tree)
    assert not tree.exists()

# SPDX-License-Identifier: MIT
"""The file of events: replaced when it has grown, once, whoever writes at that moment."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.store import events
from sandbox.store.layout import Layout

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable


@pytest.fixture
def layout(tmp_path: pathlib.Path) -> Layout:
    return Layout(tmp_path)


def tell(layout: Layout, *names: str) -> None:
    for name in names:
        events.tell(layout, "volume", "create", name)


def replace(layout: Layout, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Tell of *name* as the last thing that the file has room for."""
    with monkeypatch.context() as patch:
        patch.setattr(events, "_LARGEST", 0)
        tell(layout, name)


def names(found: Iterable[dict[str, Any]]) -> list[str]:
    return [event["Actor"]["ID"] for event in found]


def everything(layout: Layout) -> list[str]:
    return names(events.read(layout, since=0, until=None, more=lambda: False))


def test_two_who_find_the_file_too_large_replace_it_once(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(layout, "old")
    original = fcntl.flock

    def flock(fd: int, operation: int) -> None:
        if operation & fcntl.LOCK_EX:
            original(fd, fcntl.LOCK_UN)  # as the kernel changes one into the other
            monkeypatch.setattr(fcntl, "flock", original)
            replace(layout, monkeypatch, "other")
            with monkeypatch.context() as patch:
                patch.setattr(events, "_LARGEST", 1 << 20)
                tell(layout, "next")  # makes the fresh one
        original(fd, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    replace(layout, monkeypatch, "last")
    assert everything(layout) == ["old", "last", "other", "next"]


def test_who_opened_the_file_before_it_was_replaced_writes_to_the_fresh_one(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(layout, "old")
    follower = events.Follower(layout)
    seen: list[str] = []
    original = os.open

    def open_then_wait(*arguments: Any) -> int:
        fd = original(*arguments)
        monkeypatch.setattr(os, "open", original)
        replace(layout, monkeypatch, "other")
        tell(layout, "next")
        seen.extend(names(follower.poll()))  # it has left the old file now
        return fd

    monkeypatch.setattr(os, "open", open_then_wait)
    tell(layout, "late")
    seen += names(follower.poll())
    follower.close()
    assert seen == ["other", "next", "late"]


def test_a_follower_that_was_late_reads_the_file_that_came_and_went(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(layout, "old")
    follower = events.Follower(layout)
    tell(layout, "one")
    replace(layout, monkeypatch, "two")
    tell(layout, "three")
    replace(layout, monkeypatch, "four")
    tell(layout, "five")
    assert names(follower.poll()) == ["one", "two", "three", "four", "five"]
    follower.close()


def test_a_follower_that_begins_between_two_files_reads_all_that_comes(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(layout, monkeypatch, "old")
    follower = events.Follower(layout)
    assert names(follower.history(0)) == ["old"]
    assert follower.poll() == []
    replace(layout, monkeypatch, "one")
    tell(layout, "two")
    assert names(follower.poll()) == ["one", "two"]
    assert names(follower.history(0)) == ["one", "two"]
    follower.close()


def test_who_takes_the_old_events_slowly_misses_none_when_the_file_is_replaced(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(layout, "one")
    replace(layout, monkeypatch, "two")
    tell(layout, "three")
    found = events.read(layout, since=0, until=None, more=lambda: False)
    first = next(found)
    replace(layout, monkeypatch, "four")
    tell(layout, "five")
    assert names([first, *found]) == ["one", "two", "three", "four", "five"]


def test_a_file_system_without_locks_loses_no_event(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    tell(layout, "first")
    replace(layout, monkeypatch, "second")
    tell(layout, "third")
    assert everything(layout) == ["first", "second", "third"]
    assert (layout.root / "events.jsonl.1").exists()

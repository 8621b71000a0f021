# SPDX-License-Identifier: MIT
"""The file of events: it is replaced once when it is large, and no event is lost."""

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
    """Write an event about *name* that fills the file, so that the file is replaced."""
    with monkeypatch.context() as patch:
        patch.setattr(events, "_LARGEST", 0)
        tell(layout, name)


def names(found: Iterable[dict[str, Any]]) -> list[str]:
    return [event["Actor"]["ID"] for event in found]


def everything(layout: Layout) -> list[str]:
    return names(events.read(layout, since=0, until=None, more=lambda: False))


def test_two_writers_that_find_the_file_too_large_replace_it_once(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(layout, "old")
    original = fcntl.flock

    def flock(fd: int, operation: int) -> None:
        if operation & fcntl.LOCK_EX:
            original(fd, fcntl.LOCK_UN)  # like the kernel when it converts a lock
            monkeypatch.setattr(fcntl, "flock", original)
            replace(layout, monkeypatch, "other")
            with monkeypatch.context() as patch:
                patch.setattr(events, "_LARGEST", 1 << 20)
                tell(layout, "next")  # makes the new file
        original(fd, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    replace(layout, monkeypatch, "last")
    assert everything(layout) == ["old", "last", "other", "next"]


def test_a_writer_that_opened_the_replaced_file_writes_to_the_new_one(
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
        seen.extend(names(follower.poll()))  # the follower has left the old file now
        return fd

    monkeypatch.setattr(os, "open", open_then_wait)
    tell(layout, "late")
    seen += names(follower.poll())
    follower.close()
    assert seen == ["other", "next", "late"]


def test_a_slow_follower_also_reads_a_file_that_was_replaced_meanwhile(
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


def test_a_follower_that_starts_between_two_files_reads_all_new_events(
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


def test_a_slow_reader_of_old_events_misses_none_when_the_file_is_replaced(
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

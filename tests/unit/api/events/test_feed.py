# SPDX-License-Identifier: MIT
"""One reader of the store's events serves all listeners."""

from __future__ import annotations

import asyncio
import pathlib
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.api.events import feed
from sandbox.api.events.feed import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Follower:
    """A follower of events that the test supplies."""

    def __init__(self) -> None:
        self.past: list[dict[str, Any]] = []
        self.fresh: list[dict[str, Any]] = []

    def poll(self) -> list[dict[str, Any]]:
        found, self.fresh = self.fresh, []
        self.past += found
        return found

    def history(self, since: float) -> list[dict[str, Any]]:
        return [event for event in self.past if event["time"] >= since]

    def close(self) -> None:
        pass


class Changes:
    """Watches nothing; the test calls *heard*."""

    heard: Callable[[], None]

    @contextmanager
    def watching(self, _path: str, heard: Callable[[], None]) -> Iterator[bool]:
        self.heard = heard
        yield True


def event(identity: str, moment: float = 0.0) -> dict[str, Any]:
    return {"Actor": {"ID": identity}, "time": moment}


def hub_of(follower: Follower, changes: Changes) -> Hub:
    engine: Any = SimpleNamespace(
        layout=SimpleNamespace(prepare=lambda: None, root=pathlib.Path("/")),
        streams=SimpleNamespace(events=lambda: follower),
    )
    watcher: Any = changes
    return Hub(engine, watcher)


def test_listeners_get_the_events_after_they_subscribed() -> None:
    async def main() -> None:
        follower, changes = Follower(), Changes()
        hub = hub_of(follower, changes)
        follower.fresh = [event("early")]
        first = hub.listen()
        follower.fresh = [event("late")]
        second = hub.listen(about="late")
        follower.fresh = [event("late"), event("other")]
        changes.heard()
        assert [item and item["Actor"]["ID"] for item in first.waiting()] == [
            "late",
            "late",
            "other",
        ]
        assert [item and item["Actor"]["ID"] for item in second.waiting()] == ["late"]
        hub.close()

    asyncio.run(main())


def test_there_is_no_gap_between_the_history_and_what_follows() -> None:
    async def main() -> None:
        follower = Follower()
        hub = hub_of(follower, Changes())
        follower.fresh = [event("a", 1.0), event("b", 2.0)]
        listener = hub.listen(since=2.0)
        follower.fresh = [event("c", 3.0)]
        assert [item["Actor"]["ID"] for item in listener.history] == ["b"]
        assert await listener.next(0) is None
        assert listener.waiting(fresh=True) == [event("c", 3.0)]
        hub.close()

    asyncio.run(main())


def test_a_listener_that_falls_too_far_behind_is_disconnected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_LONGEST_QUEUE", 3)

    async def main() -> None:
        follower = Follower()
        hub = hub_of(follower, Changes())
        listener = hub.listen()
        follower.fresh = [event(str(number)) for number in range(10)]
        hub.look()
        for number in range(3):
            assert await listener.next(1) == event(str(number))
        with pytest.raises(EOFError):
            await listener.next(1)
        assert listener.waiting() == []

    asyncio.run(main())


def test_all_listeners_end_with_the_server() -> None:
    async def main() -> None:
        hub, woken = hub_of(Follower(), Changes()), []
        listener = hub.listen(wake=lambda: woken.append(1))
        hub.close()
        with pytest.raises(EOFError):
            await listener.next(1)
        assert woken == [1]

    asyncio.run(main())

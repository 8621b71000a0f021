# SPDX-License-Identifier: MIT
"""A limit is looked at again and again, as long as the run lasts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sandbox.runtime.supervisor.limit_watch import LimitWatch


class Watch(LimitWatch):
    looks = 0

    def check(self) -> float:
        self.looks += 1
        return 0.5


def loop_of() -> Any:
    timers: list[Any] = []

    def after(seconds: float, action: Any) -> Any:
        timers.append(SimpleNamespace(seconds=seconds, action=action))
        return timers[-1]

    return SimpleNamespace(main=object(), run_dir="/run", after=after, timers=timers)


def test_it_looks_at_once_and_then_by_a_timer() -> None:
    loop = loop_of()
    watch = Watch(None, loop)  # type: ignore[arg-type]
    assert watch.looks == 1
    loop.timers[0].action()
    assert (watch.looks, len(loop.timers)) == (2, 2)


def test_a_limit_that_was_changed_is_looked_at_now_and_not_twice() -> None:
    loop = loop_of()
    watch = Watch(None, loop)  # type: ignore[arg-type]
    watch.look()
    assert watch.looks == 2
    assert loop.timers[0].action is None, "the timer before it does nothing"


def test_it_ends_with_its_run() -> None:
    loop = loop_of()
    watch = Watch(None, loop)  # type: ignore[arg-type]
    loop.main = object()  # of the next run
    loop.timers[0].action()
    assert (watch.looks, len(loop.timers)) == (1, 1)

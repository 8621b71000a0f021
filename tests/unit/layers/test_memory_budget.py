# SPDX-License-Identifier: MIT
from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from sandbox.errors import Unsupported
from sandbox.layers.memory_budget import GiveWay, Memory, Use

MIB = 1024 * 1024
ROOM = 20 * MIB  # and 5 MiB of buffers for each of two layers


def memory() -> Memory:
    return Memory(ROOM + 10 * MIB)


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until_it_waits(of: Memory) -> None:
    """Return as soon as the youngest layer waits."""
    with of.changed:
        assert of.changed.wait_for(lambda: of.shares[-1].waits > 0, timeout=100)


def test_small_layers_do_not_wait_for_each_other() -> None:
    of = memory()
    with of.share() as first, of.share() as second:
        first.window(ROOM // 2)
        second.window(ROOM // 2)


def test_a_window_that_does_not_fit_waits_until_the_elder_is_done() -> None:
    of = memory()
    done: list[str] = []

    def younger() -> None:
        with of.share() as share:
            share.window(15 * MIB)
            done.append("younger")

    with of.share() as elder:
        elder.window(15 * MIB)
        thread = started(younger)
        until_it_waits(of)
        elder.window(16 * MIB)
        done.append("elder")
    thread.join(100)
    assert done == ["elder", "younger"]


def test_the_eldest_gets_what_a_waiting_layer_has_and_that_one_begins_again() -> None:
    of = memory()
    gave_way: list[bool] = []

    def younger() -> None:
        with of.share() as share:
            share.window(12 * MIB)
            with pytest.raises(GiveWay):
                share.members(13 * MIB // 24)
            gave_way.append(True)

    with of.share() as elder:
        thread = started(younger)
        until_it_waits(of)
        elder.window(15 * MIB)
        thread.join(100)
        assert gave_way == [True]
        with of.share() as again:
            assert again.held[Use.WINDOW] == 0


def test_what_the_eldest_waits_for_is_not_taken_by_others() -> None:
    of = memory()
    done: list[str] = []
    elder, holder = of.share(), of.share()
    holder.window(10 * MIB)

    def eldest() -> None:
        elder.window(15 * MIB)
        done.append("eldest")

    def third() -> None:
        with of.share():  # its buffers would fit without the eldest's wish
            done.append("third")

    waiting = started(eldest)
    with of.changed:
        assert of.changed.wait_for(lambda: elder.waits > 0, timeout=100)
    late = started(third)
    with of.changed:
        assert of.changed.wait_for(lambda: len(of.shares) == 3 or done, timeout=100)
    until_it_waits(of)
    assert done == []
    holder.close()
    waiting.join(100)
    late.join(100)
    assert {*done} == {"eldest", "third"}


def test_what_can_never_fit_is_refused_and_says_how_to_allow_it() -> None:
    with memory().share() as share, pytest.raises(Unsupported, match=r"30 MiB.*UNPACK_MEMORY"):
        share.window(26 * MIB)


def test_the_user_may_allow_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_UNPACK_MEMORY", "1g")
    assert Memory().most == 1024 * MIB


def test_many_layers_that_grow_all_come_to_an_end() -> None:
    of = Memory(40 * MIB)
    begun: list[int] = []

    def unpack(seed: int) -> None:
        chance = random.Random(seed)
        sizes = [chance.randint(0, 34 * MIB // 2) for _ in range(6)]
        while True:
            begun.append(seed)
            try:
                with of.share() as share:
                    for number, size in enumerate(sizes):
                        share.window(size)
                        share.members((number + 1) * (34 * MIB // 2) // len(sizes) // 24)
                        with of.changed:
                            assert sum(one.has() for one in of.shares) <= of.most
                return
            except GiveWay:
                continue

    threads = [started(partial(unpack, seed)) for seed in range(12)]
    for thread in threads:
        thread.join(100)
    assert not any(thread.is_alive() for thread in threads)
    assert {*begun} == {*range(12)}
    assert of.shares == []

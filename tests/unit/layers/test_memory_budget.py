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
ROOM = 20 * MIB  # besides 5 MiB of buffers for each of two layers


def memory() -> Memory:
    return Memory(ROOM + 10 * MIB)


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_until_the_youngest_waits(of: Memory) -> None:
    """Wait until the youngest layer waits for memory."""
    with of.changed:
        assert of.changed.wait_for(lambda: of.shares[-1].waits > 0, timeout=100)


def test_layers_that_fit_together_do_not_wait() -> None:
    of = memory()
    with of.share() as first, of.share() as second:
        first.window(ROOM // 2)
        second.window(ROOM // 2)


def test_a_window_that_does_not_fit_waits_for_the_older_layer() -> None:
    of = memory()
    done: list[str] = []

    def younger() -> None:
        with of.share() as share:
            share.window(15 * MIB)
            done.append("younger")

    with of.share() as elder:
        elder.window(15 * MIB)
        thread = started(younger)
        wait_until_the_youngest_waits(of)
        elder.window(16 * MIB)
        done.append("elder")
    thread.join(100)
    assert done == ["elder", "younger"]


def test_the_oldest_layer_takes_the_memory_of_a_waiting_one_which_starts_again() -> None:
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
        wait_until_the_youngest_waits(of)
        elder.window(15 * MIB)
        thread.join(100)
        assert gave_way == [True]
        with of.share() as again:
            assert again.held[Use.WINDOW] == 0


def test_other_layers_do_not_take_memory_that_the_oldest_waits_for() -> None:
    of = memory()
    done: list[str] = []
    elder, holder = of.share(), of.share()
    holder.window(10 * MIB)

    def eldest() -> None:
        elder.window(15 * MIB)
        done.append("eldest")

    def third() -> None:
        with of.share():  # its buffers would fit if the oldest did not wait
            done.append("third")

    waiting = started(eldest)
    with of.changed:
        assert of.changed.wait_for(lambda: elder.waits > 0, timeout=100)
    late = started(third)
    with of.changed:
        assert of.changed.wait_for(lambda: len(of.shares) == 3 or done, timeout=100)
    wait_until_the_youngest_waits(of)
    assert done == []
    holder.close()
    waiting.join(100)
    late.join(100)
    assert {*done} == {"eldest", "third"}


def test_a_layer_that_can_never_fit_is_refused_with_advice() -> None:
    with memory().share() as share, pytest.raises(Unsupported, match=r"30 MiB.*UNPACK_MEMORY"):
        share.window(26 * MIB)


def test_the_user_may_raise_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_UNPACK_MEMORY", "1g")
    assert Memory().most == 1024 * MIB


def test_many_growing_layers_all_finish() -> None:
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

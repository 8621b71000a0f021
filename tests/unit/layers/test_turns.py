# SPDX-License-Identifier: MIT
from __future__ import annotations

import threading

from sandbox.layers.turns import Turns


def test_the_younger_of_two_large_layers_waits_until_the_elder_is_done() -> None:
    turns = Turns(together=10)
    done: list[str] = []

    def younger() -> None:
        with turns.turn() as report:
            report(6)
            done.append("younger")

    thread = threading.Thread(target=younger)
    with turns.turn() as report:
        report(6)
        thread.start()
        report(100)
        done.append("elder")
    thread.join(10)
    assert done == ["elder", "younger"]


def test_small_layers_do_not_wait_for_each_other() -> None:
    turns = Turns(together=10)
    with turns.turn() as first, turns.turn() as second:
        first(5)
        second(5)

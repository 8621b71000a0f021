# SPDX-License-Identifier: MIT
"""Jobs in parallel."""

from __future__ import annotations

import threading

import pytest

from sandbox.engine.images.parallel import Stopped, in_parallel
from sandbox.errors import CorruptData


def test_every_job_is_done() -> None:
    done: list[int] = []
    in_parallel(
        3, [lambda number=number: done.append(number) for number in range(20)], threading.Event()
    )
    assert sorted(done) == list(range(20))


def test_the_first_failure_stops_the_other_jobs_and_is_raised() -> None:
    stop = threading.Event()
    started = threading.Barrier(2)

    def fails() -> None:
        started.wait(100)
        raise CorruptData("bad layer")

    def waits() -> None:
        started.wait(100)
        assert stop.wait(100)
        raise Stopped("given up")

    with pytest.raises(CorruptData, match="bad layer"):
        in_parallel(2, [waits, fails], stop)

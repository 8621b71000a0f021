# SPDX-License-Identifier: MIT
"""The arithmetic of CPU limits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sandbox.runtime.supervisor import cpu_limit
from sandbox.runtime.supervisor.cpu_limit import Bucket, CpuWatch, Meter


def test_a_container_above_its_cpu_limit_is_stopped_until_the_debt_is_paid() -> None:
    bucket = Bucket(0.5, 0.0)
    assert bucket.account(0.0, 0.05) == 0
    assert bucket.account(0.1, 0.1) == pytest.approx(0.1)
    assert bucket.account(0.2, 0.0) == 0


def test_unused_cpu_time_is_not_saved() -> None:
    bucket = Bucket(1.0, 0.0)
    assert bucket.account(100.0, 0.0) == 0
    assert bucket.account(100.0, 1.1) == pytest.approx(1.0)


def test_the_cpu_time_of_a_reaped_child_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {1: (0, 1.0), 2: (1, 0.5), 3: (2, 4.0)}
    monkeypatch.setattr(cpu_limit, "_of_process", table.get)
    meter = Meter()
    assert meter.spent([1, 2, 3]) == 5.5
    table[1] = (0, 5.5)  # both children ended, and process 1 has their sums
    assert meter.spent([1]) == 5.5


def test_the_cpu_time_of_an_orphan_is_kept_after_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = {1: (0, 1.0), 2: (99, 2.0)}
    monkeypatch.setattr(cpu_limit, "_of_process", table.get)
    meter = Meter()
    assert meter.spent([1, 2]) == 3.0
    assert meter.spent([1]) == 3.0


def waits_after(monkeypatch: pytest.MonkeyPatch, totals: list[float]) -> list[float]:
    """Check the CPU time once for each total; return the seconds until each next check."""
    spent = iter(totals)
    monkeypatch.setattr(Meter, "spent", lambda *_: next(spent))
    policy = SimpleNamespace(cpus=0.5)
    container = SimpleNamespace(config=SimpleNamespace(policy=policy))
    pace = SimpleNamespace(hold=lambda _: None, release=lambda _: None)
    waits: list[float] = []
    session = SimpleNamespace(
        held=frozenset(),
        main=1,
        run_dir=1,
        pace=pace,
        processes=list,
        after=lambda wait, _: waits.append(wait),
    )
    watch = CpuWatch(SimpleNamespace(container=container), session)  # type: ignore[arg-type]
    while len(waits) < len(totals):
        watch.look()
    return waits


def test_an_idle_container_is_checked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits = waits_after(monkeypatch, [0.0, 0.0, 0.0, 0.0, 0.01, 0.01])
    assert waits[0] < waits[1] < waits[2] == waits[3]
    assert waits[4] < waits[0] == waits[5]


def test_a_stopped_container_is_checked_as_often_as_a_busy_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = iter([0.0, 0.0, 0.0, 1.0, 1.0])
    monkeypatch.setattr(
        "sandbox.runtime.supervisor.cpu_limit.time.monotonic", lambda: next(moments, 1.0)
    )
    waits = waits_after(monkeypatch, [0.0, 0.2, 0.2])
    assert waits[1] > 0.1  # stopped until the debt is paid
    assert waits[2] == 0.02

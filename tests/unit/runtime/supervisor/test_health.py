# SPDX-License-Identifier: MIT
"""What the answers of a health check mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.models.container import ContainerState
from sandbox.models.policy import SECOND, Health
from sandbox.runtime.supervisor.health import HealthWatch

CHECK = Health(test=("CMD", "x"), interval=SECOND, start_interval=SECOND // 2, retries=2)


class Record:
    """The container's record, and what is told of it."""

    def __init__(self) -> None:
        self.container: Any = SimpleNamespace(state=ContainerState(status="running"))
        self.told: list[str] = []

    def change(self, state: ContainerState) -> None:
        self.container.state = state

    def tell(self, action: str) -> None:
        self.told.append(action)

    @property
    def health(self) -> Any:
        return self.container.state.health


def watch(health: Health = CHECK) -> tuple[HealthWatch, Record, Any]:
    waits: list[float] = []
    session: Any = SimpleNamespace(
        main=SimpleNamespace(others={}),
        run_dir="/run",
        on_tick=None,
        after=lambda seconds, _: waits.append(seconds) or SimpleNamespace(action=None),
        waits=waits,
    )
    record = Record()
    return HealthWatch(record, session, health), record, session  # type: ignore[arg-type]


def test_it_begins_as_starting() -> None:
    _, record, session = watch()
    assert record.health.status == "starting"
    assert session.waits == [1.0]


def test_it_is_unhealthy_after_so_many_failures_and_healthy_after_one_success() -> None:
    found, record, _ = watch()
    found._answered(1, b"no")
    assert (record.health.status, record.health.failing_streak) == ("starting", 1)
    found._answered(1, b"no")
    assert (record.health.status, record.health.failing_streak) == ("unhealthy", 2)
    found._answered(0, b"yes")
    assert (record.health.status, record.health.failing_streak) == ("healthy", 0)
    assert record.told == ["health_status: unhealthy", "health_status: healthy"]


def test_while_it_starts_failures_do_not_count_and_it_is_asked_more_often() -> None:
    found, record, session = watch(
        Health(test=("CMD", "x"), start_period=3600 * SECOND, start_interval=SECOND // 2, retries=1)
    )
    assert session.waits == [0.5]
    found._answered(1, b"")
    assert (record.health.status, record.health.failing_streak) == ("starting", 0)
    assert len(record.health.log) == 1
    found._answered(0, b"")
    assert record.health.status == "healthy"
    found._answered(1, b"")
    assert record.health.status == "unhealthy", "once it was well, failures count"


def test_the_last_five_results_are_kept_with_their_output() -> None:
    found, record, _ = watch()
    for number in range(7):
        found._answered(number, b"out\xff %d" % number)
    log = record.health.log
    assert [item["ExitCode"] for item in log] == [2, 3, 4, 5, 6]
    assert log[-1]["Output"] == "out\ufffd 6"


def test_an_answer_of_an_earlier_run_means_nothing() -> None:
    found, record, session = watch()
    session.main = object()
    found._answered(1, b"")
    assert record.health.log == ()
    assert session.waits == [1.0]


@pytest.mark.parametrize("status", ["paused", "restarting"])
def test_a_container_that_does_not_move_is_not_asked(status: str) -> None:
    found, record, session = watch()
    record.container.state = ContainerState(status=status)  # type: ignore[arg-type]
    found._ask()
    assert found._pid == 0
    assert len(session.waits) == 2

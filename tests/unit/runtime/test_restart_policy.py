# SPDX-License-Identifier: MIT
"""When a container that ended runs again."""

from __future__ import annotations

import pytest

from sandbox.models.policy import Policy
from sandbox.runtime.restart_policy import next_delay, wants_restart, wants_revival


@pytest.mark.parametrize(
    ("policy", "code", "count", "again"),
    [
        (Policy(), 1, 0, False),
        (Policy(restart="always"), 0, 1000, True),
        (Policy(restart="unless-stopped"), 0, 0, True),
        (Policy(restart="on-failure"), 0, 0, False),
        (Policy(restart="on-failure"), 1, 1000, True),
        (Policy(restart="on-failure", restart_max=2), 1, 1, True),
        (Policy(restart="on-failure", restart_max=2), 1, 2, False),
    ],
)
def test_the_policy_decides_unless_the_user_stopped_it(
    policy: Policy, code: int, count: int, again: bool
) -> None:
    assert wants_restart(policy, exit_code=code, count=count, stopped=False) is again
    assert not wants_restart(policy, exit_code=code, count=count, stopped=True)


@pytest.mark.parametrize(
    ("name", "stopped", "was_started", "comes_back"),
    [
        ("always", True, True, True),
        ("always", False, False, False),
        ("unless-stopped", False, True, True),
        ("unless-stopped", True, True, False),
        ("on-failure", False, True, False),
        ("no", False, True, False),
    ],
)
def test_only_two_policies_bring_a_container_back_when_the_machine_starts(
    name: str, stopped: bool, was_started: bool, comes_back: bool
) -> None:
    policy = Policy(restart=name)  # type: ignore[arg-type]
    assert wants_revival(policy, stopped=stopped, was_started=was_started) is comes_back


def test_a_container_that_fails_at_once_is_started_ever_more_slowly() -> None:
    delays = [0.0]
    for _ in range(12):
        delays.append(next_delay(delays[-1], ran=0.1))
    assert delays[1:4] == [0.1, 0.2, 0.4]
    assert delays[-1] == 60.0
    assert next_delay(60.0, ran=10.0) == 0.1, "a good run is forgiven"

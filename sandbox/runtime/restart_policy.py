# SPDX-License-Identifier: MIT
"""Restart policies: when an ended container runs again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.models.policy import Policy

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 60.0
_GOOD_RUN = 10.0


def wants_restart(policy: Policy, *, exit_code: int, count: int, stopped: bool) -> bool:
    """Tell whether to run again after *count* restarts; *stopped*: the user stopped it."""
    if stopped or policy.restart == "no":
        return False
    if policy.restart == "on-failure":
        return exit_code != 0 and (not policy.restart_max or count < policy.restart_max)
    return True


def wants_revival(policy: Policy, *, stopped: bool, was_started: bool) -> bool:
    """Tell whether the container starts again after the machine starts."""
    if not was_started:
        return False
    return policy.restart == "always" or (policy.restart == "unless-stopped" and not stopped)


def next_delay(previous: float, ran: float) -> float:
    """Return the seconds to wait: twice the last delay, the first delay after a long run.

    >>> next_delay(0, 1), next_delay(0.1, 1), next_delay(60, 1), next_delay(60, 20)
    (0.1, 0.2, 60.0, 0.1)
    """
    if not previous or ran >= _GOOD_RUN:
        return _FIRST_DELAY
    return min(previous * 2, _LONGEST_DELAY)

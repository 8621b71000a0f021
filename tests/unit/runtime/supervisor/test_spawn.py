# SPDX-License-Identifier: MIT
"""A supervisor is told what to do in one line."""

from __future__ import annotations

import pytest

from sandbox.runtime.launch import Place
from sandbox.runtime.supervisor.spawn import Plan

PLACE = Place("/store", "/c", "/upper", "/owners", "/index", ("/l1", "/l2"), "/guest")


@pytest.mark.parametrize(
    "plan",
    [
        Plan("/store", "a" * 64, PLACE),
        Plan("/store", "a" * 64, PLACE, attach=True, stdin=True, size=(24, 80)),
        Plan("/st\udcffore", "a" * 64, PLACE),
    ],
)
def test_a_plan_is_the_same_at_the_other_end(plan: Plan) -> None:
    text = plan.to_json()
    assert "\n" not in text
    assert Plan.from_json(text.encode()) == plan

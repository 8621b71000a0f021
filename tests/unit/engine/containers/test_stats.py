# SPDX-License-Identifier: MIT
"""``stats`` adds up what the processes of a container use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine.containers import stats
from tests.unit.engine.boxes import box

if TYPE_CHECKING:
    import pytest


def test_processes_are_added_up_and_those_that_are_gone_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stats, "processes", lambda _: [os.getpid(), 1 << 30])
    found = stats.stats(box())
    assert found.pids == 2
    assert found.memory > 1 << 20
    assert found.cpu > 0
    assert found.read >= 0

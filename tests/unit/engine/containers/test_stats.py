# SPDX-License-Identifier: MIT
"""``stats``: the sum over the processes of a container."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine.containers import stats
from tests.unit.engine.boxes import box

if TYPE_CHECKING:
    import pytest


def test_the_values_of_all_processes_that_exist_are_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stats, "processes", lambda _: [os.getpid(), 1 << 30])
    found = stats.stats(box())
    assert found.pids == 2
    assert found.memory > 1 << 20
    assert found.cpu > 0
    assert found.read >= 0

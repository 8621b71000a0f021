# SPDX-License-Identifier: MIT
"""``doctor``: facts from trials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine.system import doctor

if TYPE_CHECKING:
    import pytest

    from tests.harness.store import Store


def test_a_machine_that_runs_containers_has_no_bad_fact(engine: Store) -> None:
    facts = engine.system.doctor()
    assert [fact for fact in facts if fact.verdict == "bad"] == []
    assert {fact.area for fact in facts} == {
        "interceptor",
        "kernel",
        "limits",
        "run directory",
        "store",
    }


def test_trials_leave_no_file_in_the_store(engine: Store) -> None:
    engine.layout.prepare()
    before = sorted(os.listdir(engine.layout.root))
    engine.system.doctor()
    assert sorted(os.listdir(engine.layout.root)) == before


def test_a_store_that_cannot_be_written_is_bad(
    engine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(doctor.tempfile, "TemporaryDirectory", refuse)
    [fact] = [item for item in engine.system.doctor() if item.name == "writable"]
    assert (fact.verdict, fact.value) == ("bad", "Permission denied")

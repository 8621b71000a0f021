# SPDX-License-Identifier: MIT
"""``system start``, and the systemd unit that calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.containers.config import CreateRequest
from sandbox.engine.system.service import service_unit
from sandbox.models.container import ContainerState
from sandbox.models.policy import Policy
from sandbox.store.containers import ContainerStore

if TYPE_CHECKING:
    import pytest

    from tests.harness.store import Store

ENDED = ContainerState("exited", started_at="2026-01-01T00:00:00Z")


def test_only_containers_that_their_restart_policy_wants_are_started(
    engine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ContainerStore(engine.layout)
    cases = {
        "always": (Policy(restart="always"), ENDED),
        "never-started": (Policy(restart="always"), ContainerState()),
        "no-policy": (Policy(), ENDED),
    }
    for name, (policy, state) in cases.items():
        made = engine.containers.create(CreateRequest(image="host", name=name, policy=policy))
        store.write_state(made, state)
    asked: list[str] = []
    monkeypatch.setattr(type(engine.containers), "start", lambda _, name: asked.append(name))
    started, problems = engine.system.start()
    assert (started, problems) == (["always"], [])
    assert asked == [engine.containers.get("always").config.id]


def test_the_unit_starts_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/opt/my bin/sandbox")
    assert "ExecStart='/opt/my bin/sandbox' system start\n" in service_unit()
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert " -m sandbox system start\n" in service_unit()

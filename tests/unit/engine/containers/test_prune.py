# SPDX-License-Identifier: MIT
"""``container prune``: containers that do not run are removed, and their bytes counted."""

from __future__ import annotations

import os

from sandbox.engine.containers.config import CreateRequest
from sandbox.models.container import ContainerState
from sandbox.runtime.process import reaper
from sandbox.store.containers import ContainerStore
from tests.harness.store import Store


def test_a_container_that_never_started_is_removed(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    pruned = engine.containers.prune()
    assert pruned.containers == [made.config.id]
    assert pruned.freed > 0
    assert engine.containers.list() == []


def test_a_container_that_is_about_to_start_is_kept(engine: Store) -> None:
    store = ContainerStore(engine.layout)
    started = reaper.start_time_of(os.getpid())
    assert started is not None
    made = engine.containers.create(CreateRequest(image="host"))
    store.write_state(made, ContainerState(pid=os.getpid(), pid_start=started))
    assert engine.containers.prune().containers == []


def test_a_container_that_a_process_holds_is_kept(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    held = ContainerStore(engine.layout).hold(made)
    assert engine.containers.prune().containers == []
    os.close(held)
    assert engine.containers.prune().containers == [made.config.id]


def test_only_containers_that_pass_the_filters_are_removed(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="keep"))
    engine.containers.create(CreateRequest(image="host", name="drop", labels=(("a", "1"),)))
    assert len(engine.containers.prune(["label=a"]).containers) == 1
    assert [item.config.name for item in engine.containers.list()] == ["keep"]

# SPDX-License-Identifier: MIT
"""Containers in their true state, whatever their files hold."""

from __future__ import annotations

import os

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import (
    ContainerNotFound,
    UsageError,
)
from sandbox.models.container import Container, ContainerState
from sandbox.models.timestamps import now
from sandbox.runtime.process import reaper
from sandbox.store.containers import ContainerStore
from tests.harness.store import Store


def _store(engine: Store) -> ContainerStore:
    return ContainerStore(engine.layout)


def test_a_container_is_found_by_name_id_and_start_of_its_id(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="web"))
    for name in ("web", "/web", made.config.id, made.config.id[:5]):
        assert engine.containers.get(name) == made
    with pytest.raises(ContainerNotFound, match="no such container: nope"):
        engine.containers.get("nope")


def test_an_ambiguous_id_is_refused(engine: Store) -> None:
    starts: set[str] = set()
    while True:
        start = engine.containers.create(CreateRequest(image="host")).config.id[0]
        if start in starts:
            break
        starts.add(start)
    with pytest.raises(UsageError, match="multiple IDs found"):
        engine.containers.get(start)


def _running(container: Container, pid: int, start: int, engine: Store) -> Container:
    run_dir = os.fspath(engine.layout.root / "run")
    state = ContainerState("running", pid, start, 0, now(), "", "", run_dir)
    return _store(engine).write_state(container, state)


def test_a_container_without_a_main_process_has_exited(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    _running(made, os.getpid(), 1, engine)  # the number is in use by another process
    told = engine.containers.get(made.config.id)
    assert (told.state.status, told.state.exit_code) == ("exited", 137)
    assert _store(engine).read(made.config.id) == told


def test_a_container_with_a_main_process_is_running(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    start = reaper.start_time_of(os.getpid())
    assert start is not None
    _running(made, os.getpid(), start, engine)
    assert engine.containers.get(made.config.id).state.is_running


def test_a_container_that_its_supervisor_still_holds_is_running(
    engine: Store,
) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    held = _store(engine).hold(made)
    _running(made, os.getpid(), 1, engine)
    assert engine.containers.get(made.config.id).state.is_running
    os.close(held)
    assert not engine.containers.get(made.config.id).state.is_running


def test_a_container_of_run_rm_disappears_when_its_process_was_killed(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", auto_remove=True))
    _running(made, os.getpid(), 1, engine)
    assert engine.containers.list() == []
    assert list(_store(engine).all()) == []


def test_a_container_of_run_rm_disappears_when_its_command_was_killed_before_the_start(
    engine: Store,
) -> None:
    made = engine.containers.create(CreateRequest(image="host", auto_remove=True))
    assert engine.containers.list() == [made]
    _store(engine).write_state(made, ContainerState(pid=os.getpid(), pid_start=1))
    assert engine.containers.list() == []


def test_containers_come_newest_first(engine: Store) -> None:
    made = [engine.containers.create(CreateRequest(image="host")) for _ in range(3)]
    assert engine.containers.list() == made[::-1]

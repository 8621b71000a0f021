# SPDX-License-Identifier: MIT
"""The record of a container, as its supervisor holds and writes it."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.errors import Conflict, ContainerNotFound
from sandbox.models.container import Container, ContainerConfig
from sandbox.models.policy import Policy
from sandbox.models.record import replace
from sandbox.runtime.supervisor import container_record
from sandbox.runtime.supervisor.container_record import ContainerRecord
from sandbox.store.containers import ContainerStore
from sandbox.store.events import Follower
from sandbox.store.layout import Layout

IDENTITY = "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> ContainerStore:
    return ContainerStore(Layout(tmp_path / "store"))


def made(store: ContainerStore, **fields: object) -> Container:
    config = ContainerConfig(
        id=IDENTITY, name="web", created="2026-01-01T00:00:00Z", image="x", image_id="",
        entrypoint=(), cmd=("true",), **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    return store.create(lambda _: config)


def record(tmp_path: Path) -> ContainerRecord:
    return ContainerRecord(str(tmp_path / "store"), IDENTITY)


def test_a_container_has_one_supervisor(
    store: ContainerStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_record, "_PATIENCE", 0.0)
    made(store)
    with closing(record(tmp_path)), pytest.raises(Conflict):
        record(tmp_path)
    record(tmp_path).close()


def test_one_who_only_looks_into_the_container_is_waited_for(
    store: ContainerStore, tmp_path: Path
) -> None:
    import os

    fd = store.hold(made(store))
    timer = threading.Timer(0.1, os.close, (fd,))
    timer.start()
    record(tmp_path).close()
    timer.join()


def test_a_state_is_written_with_what_the_user_wants(store: ContainerStore, tmp_path: Path) -> None:
    made(store)
    with closing(record(tmp_path)) as held:
        held.stopped = True
        held.change(replace(held.container.state, status="exited", exit_code=3))
        found = store.read(IDENTITY).state
        assert (found.status, found.exit_code, found.stopped) == ("exited", 3, True)


def test_a_container_that_was_removed_by_force_is_not_made_again(
    store: ContainerStore, tmp_path: Path
) -> None:
    made(store)
    with closing(record(tmp_path)) as held:
        store.remove(held.container)
        assert not held.is_there
        held.change(replace(held.container.state, status="exited", exit_code=3))
        assert held.container.state.exit_code == 3
        with pytest.raises(ContainerNotFound):
            store.read(IDENTITY)
        with pytest.raises(ContainerNotFound):
            held.start(held.container.state)


def test_a_new_policy_is_taken_over_and_the_state_stays(
    store: ContainerStore, tmp_path: Path
) -> None:
    made(store)
    with closing(record(tmp_path)) as held:
        held.change(replace(held.container.state, restart_count=7))
        changed = replace(held.container.config, policy=Policy(memory=2**26))
        store.change(held.container, lambda *_: changed)
        held.reload()
        assert held.container.config.policy.memory == 2**26
        assert held.container.state.restart_count == 7


def test_a_wish_to_run_again_is_granted_once(store: ContainerStore, tmp_path: Path) -> None:
    made(store)
    with closing(record(tmp_path)) as held:
        held.stopped = held.again = True
        assert (held.take_again(), held.stopped) == (True, False)
        assert not held.take_again()


def test_a_log_is_had_unless_it_is_turned_off(store: ContainerStore, tmp_path: Path) -> None:
    made(store, policy=Policy(log_driver="none"))
    with closing(record(tmp_path)) as held:
        assert held.open_log() is None


def test_the_end_of_a_container_that_removes_itself_is_told(
    store: ContainerStore, tmp_path: Path
) -> None:
    made(store)
    with closing(record(tmp_path)) as held, closing(Follower(Layout(tmp_path / "store"))) as events:
        held.tell("oom")
        held.remove()
        assert [event["Action"] for event in events.poll()] == ["oom", "destroy"]

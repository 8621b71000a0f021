# SPDX-License-Identifier: MIT
"""Containers whose records are damaged."""

from __future__ import annotations

import subprocess
import sys

from sandbox.engine.containers.config import CreateRequest
from sandbox.engine.containers.recover import LOST, end_holder
from sandbox.store.containers import ContainerStore
from tests.harness.store import Store


def test_a_container_whose_state_cannot_be_read_has_ended(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="box"))
    directory = ContainerStore(engine.layout).directory(made.config.id)
    directory.state.write_bytes(b"{")
    found = engine.containers.get("box")
    assert (found.state.status, found.state.exit_code) == ("exited", 137)
    assert found.state.error == LOST
    engine.containers.remove("box")


def test_a_container_without_a_configuration_can_only_be_removed_by_its_id(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="box"))
    directory = ContainerStore(engine.layout).directory(made.config.id)
    directory.config.write_bytes(b"{")
    assert [identity for identity, _ in engine.containers.damaged()] == [made.config.id]
    assert engine.containers.remove_damaged("nothing") is None
    assert engine.containers.remove_damaged("") is None
    assert engine.containers.remove_damaged(made.config.id[:6]) == made.config.id
    assert engine.containers.damaged() == []


def test_the_process_that_holds_the_lock_is_killed(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    lock = ContainerStore(engine.layout).directory(made.config.id).config
    hold = (
        "import fcntl, sys, time; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(100)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, lock], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        end_holder(lock)
        assert process.wait(100) == -9

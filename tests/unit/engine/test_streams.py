# SPDX-License-Identifier: MIT
"""Requests of a server about containers that do not run."""

from __future__ import annotations

from contextlib import closing

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Conflict, Unsupported
from sandbox.models.policy import Policy
from sandbox.runtime.logs.reader import Span
from tests.harness.store import Store


def test_events_come_from_now_on(engine: Store) -> None:
    engine.layout.prepare()
    engine.containers.create(CreateRequest(image="host", name="before"))
    with closing(engine.streams.events()) as follower:
        made = engine.containers.create(CreateRequest(image="host", name="after"))
        engine.streams.tell_exec(made, "e1", "create", ["true"])
        engine.streams.tell_exec_end(made, "e1", 3)
        events = follower.poll()
    found = [(item["Action"], item["Actor"]["Attributes"]["name"]) for item in events]
    assert found == [("create", "after"), ("exec_create: true", "after"), ("exec_die", "after")]


def test_a_process_starts_only_in_a_running_container(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="box"))
    with pytest.raises(Conflict, match=f"container {made.config.id} is not running"):
        engine.streams.find_active("box")


def test_a_container_without_a_supervisor_cannot_be_attached(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="box"))
    with pytest.raises(Conflict, match="cannot attach to box"):
        engine.streams.attach(made, stdin=False)


def test_the_terminal_of_a_stopped_container_is_not_resized(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="box"))
    engine.streams.resize("box", 24, 80)


def test_a_container_without_a_log_has_no_reader(engine: Store) -> None:
    policy = Policy(log_driver="none")
    engine.containers.create(CreateRequest(image="host", name="box", policy=policy))
    with pytest.raises(Unsupported, match="logging driver does not support reading"):
        engine.streams.logs("box", Span())

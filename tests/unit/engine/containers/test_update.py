# SPDX-License-Identifier: MIT
"""``rename`` and ``update`` of containers that do not run."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Conflict, UsageError
from tests.harness.store import Store


def test_a_container_gets_another_name(engine: Store) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="old"))
    engine.containers.rename("old", "/new")
    assert engine.containers.get("new").config.id == made.config.id


@pytest.mark.parametrize(
    ("name", "message"),
    [("box", "same name as its current name"), ("other", 'name "/other" is already in use')],
)
def test_a_name_that_is_taken_is_refused(engine: Store, name: str, message: str) -> None:
    for each in ("box", "other"):
        engine.containers.create(CreateRequest(image="host", name=each))
    with pytest.raises(Conflict, match=message):
        engine.containers.rename("box", name)


def test_an_invalid_name_is_refused(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="box"))
    with pytest.raises(UsageError, match="invalid container name"):
        engine.containers.rename("box", "a b")


def test_an_update_keeps_other_fields_and_inspect_shows_wishes(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="box"))
    engine.containers.update("box", memory=1 << 30, asked={"CpuShares": 7})
    engine.containers.update("box", restart="always")
    policy = engine.containers.get("box").config.policy
    assert (policy.memory, policy.restart) == (1 << 30, "always")
    assert engine.containers.inspect("box")["HostConfig"]["CpuShares"] == 7


def test_a_container_of_run_rm_cannot_have_a_restart_policy(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="box", auto_remove=True))
    with pytest.raises(Conflict, match="AutoRemove is enabled"):
        engine.containers.update("box", restart="always")

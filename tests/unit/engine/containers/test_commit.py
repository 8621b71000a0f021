# SPDX-License-Identifier: MIT
"""``commit``: the configuration of the new image."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.commit import CommitRequest, overlaid
from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Unsupported
from sandbox.models.container import MountPoint
from sandbox.models.oci import RunConfig
from sandbox.models.policy import Health, Policy
from tests.harness import images
from tests.harness.store import Store

RUN = {"Cmd": ["/a"], "Env": ["A=1"], "Healthcheck": {"Test": ["CMD", "true"]}}


def test_an_image_runs_what_its_container_ran(engine: Store) -> None:
    base = engine.load([[images.file("a")]], RUN, tags=["base:1"])
    engine.containers.create(
        CreateRequest(
            image="base:1",
            args=("/b", "c"),
            name="box",
            env=("B=2",),
            labels=(("l", "1"),),
            mounts=(MountPoint("volume", "/data", anonymous=True),),
        )
    )
    request = CommitRequest(reference="made:1", author="me", message="why", changes=("USER 7",))
    image_id = engine.containers.commit("box", request)
    image = engine.images.get("made:1")
    assert (image.id, image.parent) == (image_id, base.id)
    run = image.config
    assert (run.cmd, run.env, run.user) == (["/b", "c"], ["A=1", "B=2"], "7")
    assert (run.labels, run.volumes) == ({"l": "1"}, {"/data": {}})
    assert (image.author, image.comment) == ("me", "why")
    assert image.layers[:1] == base.layers
    assert engine.images.history("made:1")[0][0].created_by == "/b c"


def test_a_health_check_that_was_turned_off_stays_off(engine: Store) -> None:
    engine.load([[images.file("a")]], RUN, tags=["base:1"])
    for name, health in (("same", None), ("off", Health(test=("NONE",)))):
        policy = Policy(health=health)
        engine.containers.create(CreateRequest(image="base:1", name=name, policy=policy))
        engine.containers.commit(name, CommitRequest(reference=f"{name}:1"))
    same, off = (engine.images.get(f"{name}:1").config.healthcheck for name in ("same", "off"))
    assert same is not None
    assert off is not None
    assert (same.test, off.test) == (["CMD", "true"], ["NONE"])


def test_a_container_of_the_image_host_cannot_be_committed(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="box"))
    with pytest.raises(Unsupported, match="use 'export' and 'import'"):
        engine.containers.commit("box")


def test_a_new_command_keeps_the_entry_point() -> None:
    found = overlaid(RunConfig(entrypoint=["x"], cmd=["a"]), RunConfig(cmd=["b"]))
    assert (found.entrypoint, found.cmd) == (["x"], ["b"])

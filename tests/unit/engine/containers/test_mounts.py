# SPDX-License-Identifier: MIT
"""The mounts of a new container: their order, and the volumes that are made."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import UsageError
from sandbox.models.container import MountPoint
from tests.harness import images
from tests.harness.store import Store


def test_volumes_of_the_image_become_anonymous_ones(engine: Store) -> None:
    engine.load([[images.file("a")]], {"Volumes": {"/data/": {}}}, tags=["a:1"])
    made = engine.containers.create(CreateRequest(image="a:1", args=("/a",)))
    [mount] = made.config.mounts
    assert (mount.type, mount.target, mount.anonymous) == ("volume", "/data", True)
    assert engine.volumes.get(mount.name).data == mount.source
    engine.containers.remove(made.config.id, volumes=True)
    assert engine.volumes.list() == []


def test_the_user_s_mount_wins_over_another_container_s_and_over_the_image_s(engine: Store) -> None:
    engine.load([[images.file("a")]], {"Volumes": {"/x": {}, "/y": {}}}, tags=["a:1"])
    theirs = (MountPoint("volume", "/x", name="old"), MountPoint("volume", "/y", name="both"))
    engine.containers.create(CreateRequest(image="a:1", args=("/a",), name="first", mounts=theirs))
    made = engine.containers.create(
        CreateRequest(
            image="a:1",
            args=("/a",),
            mounts=(MountPoint("volume", "/x", name="new"),),
            volumes_from=("first:ro",),
        )
    )
    assert {(item.target, item.name, item.read_only) for item in made.config.mounts} == {
        ("/x", "new", False),
        ("/y", "both", True),
    }
    assert [len(engine.volumes.users(name)) for name in ("old", "new", "both")] == [1, 1, 2]


def test_volumes_from_a_container_that_does_not_exist_are_refused(engine: Store) -> None:
    for text, message in (("nobody", "no such container"), ("nobody:x", "invalid mode: x")):
        with pytest.raises(UsageError, match=message):
            engine.containers.create(CreateRequest(image="host", volumes_from=(text,)))
    assert engine.containers.list() == []

# SPDX-License-Identifier: MIT
"""Volumes: made, found, pruned, removed."""

from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.engine import Engine
from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Conflict, NotFound
from sandbox.models.container import MountPoint
from sandbox.store.layout import Layout
from sandbox.store.lock import acquire, open_lock
from tests.harness.store import Store


def test_a_prune_waits_until_a_new_volume_is_in_its_place(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "store")
    rename = os.rename
    seen: list[bool] = []

    def watched(old: str, new: str) -> None:
        fd = open_lock(layout.lock)
        seen.append(acquire(fd, wait=False))  # what a prune would wait for
        os.close(fd)
        rename(old, new)

    monkeypatch.setattr("sandbox.store.volumes.os.rename", watched)
    volume = Engine(layout).volumes.create("data", {"a": "b"})
    assert seen == [False]
    assert (volume.name, volume.labels) == ("data", {"a": "b"})
    assert os.listdir(layout.tmp) == []


def test_a_volume_without_a_name_gets_one_and_is_anonymous(engine: Store) -> None:
    volume = engine.volumes.create()
    assert (len(volume.name), volume.anonymous) == (64, True)
    assert engine.volumes.inspect(volume.name)["Mountpoint"] == volume.data


def test_a_volume_that_a_container_mounts_is_not_removed(engine: Store) -> None:
    mounts = (MountPoint("volume", "/data", name="data"),)
    made = engine.containers.create(CreateRequest(image="host", mounts=mounts))
    assert [item.config.id for item in engine.volumes.users("data")] == [made.config.id]
    with pytest.raises(Conflict, match=f"volume is in use - .{made.config.id}"):
        engine.volumes.remove("data")
    assert engine.volumes.list(["dangling=true"]) == []
    engine.containers.remove(made.config.id)
    engine.volumes.remove("data")
    with pytest.raises(NotFound):
        engine.volumes.remove("data")
    engine.volumes.remove("data", force=True)


def test_a_prune_removes_named_volumes_only_with_all(engine: Store) -> None:
    engine.volumes.create("named", {"keep": ""})
    anonymous = engine.volumes.create()
    assert engine.volumes.prune().volumes == [anonymous.name]
    assert engine.volumes.prune(everything=True, filters=["label!=keep"]).volumes == []
    assert engine.volumes.prune(everything=True).volumes == ["named"]

# SPDX-License-Identifier: MIT
"""Records of containers are written and read back unchanged."""

from __future__ import annotations

import json

import pytest

from sandbox.errors import CorruptData
from sandbox.models.container import (
    ContainerConfig,
    ContainerState,
    MountPoint,
    Ulimit,
)

CONFIG = ContainerConfig(
    id="ab" * 32,
    name="web",
    created="2024-01-01T00:00:00.000000000Z",
    image="debian",
    image_id="sha256:" + "0" * 64,
    entrypoint=("tini",),
    cmd=("sh", "\udcff"),
    env=("A=1",),
    labels={"a": "b"},
    mounts=(MountPoint("bind", "/b", "/a", read_only=True), MountPoint("tmpfs", "/t", size=5)),
    ulimits=(Ulimit("nofile", 1, 2),),
    tty=True,
)


def test_a_configuration_is_read_back_from_json() -> None:
    text = json.dumps(CONFIG.to_json())
    assert ContainerConfig.from_json(json.loads(text)) == CONFIG


def test_a_state_is_read_back_from_json() -> None:
    state = ContainerState("running", 5, 6, 0, "a", "b", "c", "/run")
    assert ContainerState.from_json(json.loads(json.dumps(state.to_json()))) == state


@pytest.mark.parametrize("data", [None, [], {}, {"id": 1}, "text", {"status": "mad"}])
def test_a_damaged_record_is_an_error(data: object) -> None:
    with pytest.raises(CorruptData):
        ContainerConfig.from_json(data)
    with pytest.raises(CorruptData):
        ContainerState.from_json(data)


def test_the_short_id_has_twelve_digits() -> None:
    assert CONFIG.short_id == "ab" * 6
    assert CONFIG.args == ("tini", "sh", "\udcff")

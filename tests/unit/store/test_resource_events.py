# SPDX-License-Identifier: MIT
"""The start and end of a container write events of its volumes and networks."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.models.container import ContainerConfig, MountPoint
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.record import replace
from sandbox.store.events import Follower
from sandbox.store.layout import Layout
from sandbox.store.resource_events import tell_begin, tell_end

CONFIG = ContainerConfig(
    id="a" * 64,
    name="web",
    created="",
    image="x",
    image_id="",
    entrypoint=(),
    cmd=("true",),
    mounts=(
        MountPoint("volume", "/data", name="v", read_only=True),
        MountPoint("bind", "/host", "/"),
    ),
)


def events_of(tmp_path: Path, config: ContainerConfig, kind: str) -> list[dict[str, Any]]:
    layout = Layout(tmp_path / "store")
    layout.prepare()
    with closing(Follower(layout)) as follower:
        tell_begin(layout, config)
        tell_end(layout, config)
        return [event for event in follower.poll() if event["Type"] == kind]


def test_only_volumes_get_mount_and_unmount_events(tmp_path: Path) -> None:
    told = events_of(tmp_path, CONFIG, "volume")
    assert [(event["Action"], event["Actor"]["ID"]) for event in told] == [
        ("mount", "v"),
        ("unmount", "v"),
    ]
    attributes = told[0]["Actor"]["Attributes"]
    assert (attributes["destination"], attributes["read/write"]) == ("/data", "false")
    assert attributes["container"] == CONFIG.id


def test_custom_networks_get_connect_and_disconnect_events(tmp_path: Path) -> None:
    config = replace(
        CONFIG, network=NetworkConfig(endpoints=(Endpoint("host"), Endpoint("was-removed")))
    )
    told = events_of(tmp_path, config, "network")
    assert [event["Action"] for event in told] == ["connect", "disconnect"]

# SPDX-License-Identifier: MIT
"""Containers and networks without a store, for tests of pure code."""

from __future__ import annotations

from typing import Any

from sandbox.models.addresses import parse_address, parse_subnet
from sandbox.models.container import Container, ContainerConfig, ContainerState
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.network import Network
from sandbox.models.ports import Port, Published
from sandbox.runtime.network.members import LiveEndpoint, Member

CREATED = "2026-01-01T00:00:00Z"
BACKEND = Network(
    id="b" * 64,
    name="backend",
    created=CREATED,
    number=7,
    subnet=parse_subnet("10.9.0.0/16"),
    gateway=parse_address("10.9.0.1") or 0,
    labels={"team": "a"},
)
ON_BACKEND = NetworkConfig(mode="backend", endpoints=(Endpoint("backend", aliases=("db",)),))


def config(name: str = "web", **changes: Any) -> ContainerConfig:
    return ContainerConfig(
        **{
            "id": name[0] * 64,
            "name": name,
            "created": CREATED,
            "image": "alpine",
            "image_id": "sha256:" + "0" * 64,
            "entrypoint": (),
            "cmd": ("sleep", "1"),
            **changes,
        }
    )


def box(name: str = "web", status: str = "running", **changes: Any) -> Container:
    running = status == "running"
    state = ContainerState("running", pid=7, run_dir="/run/box", started_at=CREATED)
    return Container(config(name, **changes), state if running else ContainerState(status))


def member(name: str = "web", **changes: Any) -> Member:
    place = LiveEndpoint(BACKEND.id, 7, "backend", "10.9.0.2", 16, gateway="10.9.0.1")
    return Member(
        **{
            "id": name[0] * 64,
            "name": name,
            "hostname": name,
            "number": 1,
            "address": "10.9.0.2",
            "pid": 7,
            "pid_start": 1,
            "run_dir": "/run/box",
            "endpoints": (place,),
            "published": (Published(Port(80, "tcp"), "0.0.0.0", 8080),),
            **changes,
        }
    )

# SPDX-License-Identifier: MIT
"""``ps --filter``: each key means the same as in Docker's documentation."""

from __future__ import annotations

import pytest

from sandbox.errors import ContainerNotFound, UsageError
from sandbox.models.container import (
    Container,
    ContainerConfig,
    ContainerState,
    HealthState,
    MountPoint,
)
from sandbox.models.container_filters import Lookups, container_filter
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.ports import parse_publication

BASE, CHILD, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64, "sha256:" + "c" * 64
FRONT = "f" * 64


def _container(name: str, second: int, state: ContainerState, **more: object) -> Container:
    config = ContainerConfig(
        id=(name.encode().hex() * 64)[:64],
        name=name,
        created=f"2026-01-01T00:00:{second:02}.000000000Z",
        image="x",
        entrypoint=(),
        cmd=("true",),
        **more,  # type: ignore[arg-type]
    )
    return Container(config, state)


CONTAINERS = [
    _container(
        "web1",
        1,
        ContainerState(
            status="running",
            started_at="2026-01-01T00:00:01Z",
            health=HealthState(status="healthy"),
        ),
        image_id=CHILD,
        mounts=(MountPoint(type="volume", source="/x", target="/data", name="vol"),),
        exposed_ports=("8080/tcp",),
        network=NetworkConfig(
            mode="front",
            endpoints=(Endpoint("front"),),
            publications=parse_publication("127.0.0.1:9000:80"),
        ),
        labels={"a": "1", "b": ""},
    ),
    _container(
        "web2",
        2,
        ContainerState(
            status="exited",
            exit_code=3,
            started_at="2026-01-01T00:00:02Z",
            finished_at="2026-01-01T00:00:03Z",
        ),
        image_id=BASE,
        mounts=(MountPoint(type="bind", source="/srv/www", target="/www"),),
        network=NetworkConfig(mode="bridge", endpoints=(Endpoint("bridge"),)),
        labels={"a": "2"},
    ),
    _container("my-db", 3, ContainerState(status="created"), image_id=OTHER),
]


def _find(name: str) -> Container:
    for container in CONTAINERS:
        if container.config.name == name:
            return container
    raise ContainerNotFound(f"no such container: {name}")


LOOKUPS = Lookups(
    container=_find,
    family=lambda name: {BASE, CHILD} if name == "base" else set(),
    networks=lambda word: {word, "front", FRONT} if FRONT.startswith(word) else {word},
)


def chosen(*filters: str) -> list[str]:
    test = container_filter(filters, LOOKUPS)
    return [item.config.name for item in CONTAINERS if test(item)]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["name=web"], ["web1", "web2"]),
        (["name=^/?web1$"], ["web1"]),
        (["name=/my-db"], ["my-db"]),
        (["name=^b"], []),
        (["name=web[12]", "name=db"], ["web1", "web2", "my-db"]),
        (["name=*"], []),
        (["name=web("], []),
        (["id=" + b"my-db".hex()[:6]], ["my-db"]),
        (["ancestor=base"], ["web1", "web2"]),
        (["ancestor=unknown"], []),
        (["before=my-db"], ["web1", "web2"]),
        (["since=web1"], ["web2", "my-db"]),
        (["since=web1", "before=my-db"], ["web2"]),
        (["exited=3"], ["web2"]),
        (["exited=0"], []),
        (["exited=0", "exited=3"], ["web2"]),
        (["health=healthy"], ["web1"]),
        (["health=none"], ["web2", "my-db"]),
        (["status=created", "status=exited"], ["web2", "my-db"]),
        (["volume=vol"], ["web1"]),
        (["volume=/data"], ["web1"]),
        (["volume=/srv/www"], ["web2"]),
        (["volume=vo"], []),
        (["network=front"], ["web1"]),
        (["network=ffff"], ["web1"]),
        (["network=bridge"], ["web2"]),
        (["publish=80"], ["web1"]),
        (["publish=9000"], []),
        (["publish=80/udp"], []),
        (["publish=70-90/tcp"], ["web1"]),
        (["expose=8000-8080/tcp"], ["web1"]),
        (["expose=80"], ["web1"]),
        (["label=a"], ["web1", "web2"]),
        (["label=a=2"], ["web2"]),
        (["label=a", "label=b"], ["web1"]),
        (["label=b="], ["web1"]),
        (["is-task=false"], ["web1", "web2", "my-db"]),
        (["is-task=true"], []),
        (["name=web", "status=exited"], ["web2"]),
    ],
)
def test_filters_choose_the_same_containers_as_dockers(
    filters: list[str], names: list[str]
) -> None:
    assert chosen(*filters) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("color=red", "invalid filter 'color'"),
        ("name", "bad format"),
        ("status=up", "invalid filter 'status=up'"),
        ("health=fine", "invalid filter 'health=fine'"),
        ("exited=zero", "invalid filter 'exited=zero'"),
        ("publish=http", "invalid filter 'publish=http'"),
        ("expose=1-x", "invalid filter 'expose=1-x'"),
        ("is-task=perhaps", "invalid filter 'is-task=[perhaps]'"),
        ("before=nobody", "no such container: nobody"),
    ],
)
def test_an_invalid_filter_is_named_in_the_error(text: str, message: str) -> None:
    with pytest.raises((UsageError, ContainerNotFound)) as caught:
        chosen(text)
    assert message in caught.value.message

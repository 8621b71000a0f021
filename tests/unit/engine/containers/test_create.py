# SPDX-License-Identifier: MIT
"""``create``: refused requests, which leave no files."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import (
    Conflict,
    ImageNotFound,
    SandboxError,
    Unsupported,
    UsageError,
)
from sandbox.store.containers import ContainerStore
from tests.harness.store import Store


def _store(engine: Store) -> ContainerStore:
    return ContainerStore(engine.layout)


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("linux/s390x", "does not match the specified platform"),
        ("windows/amd64", "does not match the specified platform"),
    ],
)
def test_a_request_for_another_platform_than_the_image_s_is_refused(
    engine: Store, platform: str, message: str
) -> None:
    with pytest.raises(SandboxError, match=message):
        engine.containers.create(CreateRequest(image="host", platform=platform))


def test_an_unknown_interceptor_is_refused(engine: Store) -> None:
    with pytest.raises(Unsupported, match="choose one of auto"):
        engine.containers.create(CreateRequest(image="host", interceptor="magic"))


def test_an_unknown_image_gives_docker_s_message(engine: Store) -> None:
    with pytest.raises(ImageNotFound, match="find image 'nope:latest' locally"):
        engine.containers.create(CreateRequest(image="nope"))
    assert list(_store(engine).all()) == []


def test_a_container_s_name_is_unique(engine: Store) -> None:
    first = engine.containers.create(CreateRequest(image="host", name="web"))
    with pytest.raises(Conflict, match=f'"/web" is already in use.*{first.config.id}'):
        engine.containers.create(CreateRequest(image="host", name="web"))
    engine.containers.remove("web", force=False)
    engine.containers.create(CreateRequest(image="host", name="web"))


def test_a_failed_create_leaves_no_files(engine: Store) -> None:
    with pytest.raises(UsageError):
        engine.containers.create(CreateRequest(image="host", name="bad name"))
    assert list(engine.layout.containers.iterdir()) == []
    assert list(engine.layout.tmp.iterdir()) == []

# SPDX-License-Identifier: MIT
"""``info``: counts of the store, and facts about the machine."""

from __future__ import annotations

import os

from sandbox import __version__
from sandbox.engine.containers.config import CreateRequest
from sandbox.engine.system.info import architecture
from tests.harness import images
from tests.harness.store import Store


def test_containers_and_images_are_counted(engine: Store) -> None:
    engine.load([[images.file("a")]], tags=["app:1"])
    engine.containers.create(CreateRequest(image="host"))
    shown = engine.system.info()
    assert (shown["Containers"], shown["ContainersStopped"], shown["ContainersRunning"]) == (
        1,
        1,
        0,
    )
    assert shown["Images"] == 1
    assert shown["ServerVersion"] == engine.system.version() == __version__
    assert shown["DockerRootDir"] == str(engine.layout.root)
    assert shown["NCPU"] == os.cpu_count()


def test_a_store_that_does_not_exist_is_empty(engine: Store) -> None:
    shown = engine.system.info()
    assert (shown["Containers"], shown["Images"]) == (0, 0)
    assert shown["FreeSpace"] > 0


def test_the_architecture_is_docker_s_name_for_the_machine() -> None:
    assert architecture() == {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]

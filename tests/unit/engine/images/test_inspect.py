# SPDX-License-Identifier: MIT
"""Docker's JSON of an image."""

from __future__ import annotations

from sandbox.engine.images.inspect import describe_image, summarize_image
from sandbox.models.image import host_image
from sandbox.models.timestamps import NEVER
from tests.harness import images
from tests.harness.store import Store

RUN = {"Cmd": ["/a"], "Env": ["A=1"], "Labels": {"x": "y"}, "ExposedPorts": {"80/tcp": {}}}


def test_an_image_shows_its_names_layers_and_what_it_runs(engine: Store) -> None:
    image = engine.load([[images.file("a", "123")]], RUN, tags=["app:1"])
    shown = describe_image(image)
    assert (shown["Id"], shown["RepoTags"]) == (image.id, ["app:1"])
    assert shown["RootFS"] == {"Type": "layers", "Layers": list(image.layers)}
    assert {name: shown["Config"][name] for name in RUN} == RUN
    assert shown["Size"] == image.size == 3
    assert shown["Metadata"] == {"LastTagTime": NEVER}


def test_a_field_without_a_value_is_shown_empty() -> None:
    shown = describe_image(host_image())
    assert (shown["Created"], shown["DockerVersion"], shown["Container"]) == (NEVER, "", "")
    assert shown["Config"]["Labels"] == {}
    assert shown["ContainerConfig"]["Cmd"] is None


def test_a_list_has_no_shared_size_and_no_number_of_containers(engine: Store) -> None:
    image = engine.load([[images.file("a", "123")]], tags=["app:1"])
    shown = summarize_image(image)
    assert (shown["RepoTags"], shown["Size"]) == (["app:1"], 3)
    assert (shown["SharedSize"], shown["Containers"]) == (-1, -1)

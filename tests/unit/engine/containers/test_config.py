# SPDX-License-Identifier: MIT
"""The configuration of a container: the request over the image."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.engine.containers.config import CreateRequest, configure, merge_health
from sandbox.errors import (
    UsageError,
)
from sandbox.models.image import host_image
from sandbox.models.oci import Healthcheck, RunConfig
from sandbox.models.policy import SECOND, Health


def _image(**config: Any) -> Any:
    image = host_image()
    return type(image)(
        **{
            **{name: getattr(image, name) for name in image.__struct_fields__},
            "config": RunConfig(**config),
        }
    )


def test_options_that_the_user_leaves_out_come_from_the_image() -> None:
    image = _image(
        entrypoint=["tini"],
        cmd=["sh"],
        env=["PATH=/p", "A=1"],
        user="www",
        working_dir="/srv",
        labels={"a": "1", "b": "2"},
        stop_signal="SIGINT",
    )
    request = CreateRequest(image="x", labels=(("b", "3"),), env=("A=2",))
    config = configure(request, image, ())
    assert config.args == ("tini", "sh")
    assert config.env == ("PATH=/p", "A=2")
    assert (config.user, config.working_dir) == ("www", "/srv")
    assert config.labels == {"a": "1", "b": "3"}
    assert config.stop_signal == "SIGINT"
    assert config.hostname == config.id[:12]


def test_the_user_s_options_replace_the_image_s() -> None:
    image = _image(cmd=["sh"], user="www", working_dir="/srv")
    request = CreateRequest(
        image="x",
        args=("ls", "-l"),
        name="mine",
        user="0",
        working_dir="/tmp",
        hostname="box",
    )
    config = configure(request, image, ())
    assert (config.args, config.name) == (("ls", "-l"), "mine")
    assert (config.user, config.working_dir, config.hostname) == ("0", "/tmp", "box")


def test_a_relative_working_directory_is_refused() -> None:
    request = CreateRequest(image="x", args=("ls",), working_dir="a")
    with pytest.raises(UsageError, match="needs to be an absolute path"):
        configure(request, _image(), ())


def test_the_image_s_health_check_gets_docker_s_defaults() -> None:
    found = merge_health(Healthcheck(test=["CMD", "true"], interval=SECOND), None)
    assert found is not None
    assert (found.test, found.interval, found.timeout) == (("CMD", "true"), SECOND, 30 * SECOND)
    assert found.retries == 3


def test_the_user_changes_only_a_part_of_the_image_s_health_check() -> None:
    image = Healthcheck(test=["CMD", "true"], interval=SECOND, retries=5)
    found = merge_health(image, Health(test=(), retries=9))
    assert found is not None
    assert (found.test, found.interval, found.retries) == (("CMD", "true"), SECOND, 9)


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        (None, None),
        (None, Health(test=(), retries=9)),
        (Healthcheck(test=["NONE"]), None),
        (Healthcheck(test=["CMD", "true"]), Health(test=("NONE",))),
    ],
)
def test_a_container_may_have_no_health_check(
    image: Healthcheck | None, wanted: Health | None
) -> None:
    assert merge_health(image, wanted) is None


def test_the_user_s_own_health_check_replaces_the_image_s() -> None:
    own = Health(test=("CMD-SHELL", "exit 0"))
    assert merge_health(Healthcheck(test=["CMD", "true"]), own) == own

# SPDX-License-Identifier: MIT
"""The configuration of a container: the request over the image."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.engine.containers.config import CreateRequest, configure
from sandbox.errors import (
    UsageError,
)
from sandbox.models.image import host_image
from sandbox.models.oci import RunConfig


def _image(**config: Any) -> Any:
    image = host_image()
    return type(image)(
        **{
            **{name: getattr(image, name) for name in image.__struct_fields__},
            "config": RunConfig(**config),
        }
    )


def test_what_the_user_did_not_say_comes_from_the_image() -> None:
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


def test_what_the_user_said_wins() -> None:
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

# SPDX-License-Identifier: MIT
"""Helpers of tests with docker-py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from docker.errors import APIError

if TYPE_CHECKING:
    import docker as docker_py


def sleeper(client: docker_py.DockerClient, **more: Any) -> docker_py.models.containers.Container:
    """Return a container that runs until it is removed."""
    return client.containers.run("box", ["sleep", "1000"], detach=True, **more)


def refusal(act: Any, *words: Any, **more: Any) -> tuple[int, str]:
    """Call *act*, which must be refused; return the status and the message."""
    with pytest.raises(APIError) as caught:
        act(*words, **more)
    return caught.value.status_code, caught.value.explanation

# SPDX-License-Identifier: MIT
"""What tests of the HTTP API share."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.conftest import INTERCEPTOR
from tests.harness import apiserver
from tests.harness.apiserver import Docker, Server
from tests.harness.command import Sandbox


def private_sandbox(folder: pathlib.Path) -> Sandbox:
    """Return the command with a store, a home and a runtime directory in *folder*."""
    for name in ("home", "run"):
        (folder / name).mkdir(mode=0o700)
    return Sandbox(
        folder / "store",
        {
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "SANDBOX_INTERCEPTOR": INTERCEPTOR,
        },
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests of a file."""
    folder = tmp_path_factory.mktemp("api")
    with apiserver.serving(private_sandbox(folder), folder) as server:
        yield server


@pytest.fixture
def api(shared: Server) -> Iterator[Server]:
    """That server, with no container before and after."""
    yield shared
    shared.remove_all()


@pytest.fixture
def fresh(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server of this test's own, over an empty store."""
    with apiserver.serving(sandbox, tmp_path) as server:
        yield server


@pytest.fixture
def docker(api: Server, tmp_path: pathlib.Path) -> Docker:
    """The real docker command line on the server."""
    return apiserver.docker_on(api, tmp_path)

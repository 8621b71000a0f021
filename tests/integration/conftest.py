# SPDX-License-Identifier: MIT
"""Fixtures of the integration tests."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.harness import registry
from tests.harness.builds import Builder, base_image
from tests.harness.command import Sandbox


@pytest.fixture
def engine(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """Return the command with its own runtime directory; remove its containers at the end."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    yield sandbox
    ids = sandbox.ok("ps", "-aq").split()
    if ids:
        sandbox.ok("rm", "-f", *ids)


@pytest.fixture
def builder(engine: Sandbox, tmp_path: pathlib.Path) -> Builder:
    """Return a builder with an empty context and the image `base`."""
    base_image(engine, tmp_path)
    context = tmp_path / "context"
    context.mkdir()
    return Builder(engine, context)


@pytest.fixture
def net(engine: Sandbox) -> Iterator[Sandbox]:
    """Return the command with the networks `back` and `front`."""
    engine.ok("network", "create", "back")
    engine.ok("network", "create", "front")
    return engine


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registry.Server]:
    """Return a registry without TLS or passwords."""
    with registry.running(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow the test to connect to registries."""
    monkeypatch.delenv("SANDBOX_OFFLINE")


@pytest.fixture
def quick_retries(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set few retries without pauses, but a timeout that slow servers can meet."""
    path = tmp_path / "registries.toml"
    path.write_text("retries = 3\nparallel = 2\n")
    monkeypatch.setenv("SANDBOX_REGISTRIES", str(path))
    monkeypatch.setattr("sandbox.registry.transport._PAUSE_LIMIT", 0.02)

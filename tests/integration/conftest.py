# SPDX-License-Identifier: MIT
"""Fixtures of the tests that need a registry."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from tests.harness import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.registry import Server


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry without TLS or passwords."""
    with registry.running(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test make connections."""
    monkeypatch.delenv("SANDBOX_OFFLINE")


@pytest.fixture
def impatient(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that try again at once and give up soon."""
    path = tmp_path / "registries.toml"
    path.write_text("retries = 3\ntimeout = 1\nparallel = 2\n")
    monkeypatch.setenv("SANDBOX_REGISTRIES", str(path))
    monkeypatch.setattr("sandbox.registry.transport._PAUSE_LIMIT", 0.02)

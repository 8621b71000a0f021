# SPDX-License-Identifier: MIT
"""Fixtures of guest tests: programs that run here and in a container, and networks."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from tests.harness.command import Sandbox
from tests.harness.network.boxes import Net
from tests.harness.oracle import Oracle


@pytest.fixture
def oracle(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Oracle]:
    """Return an oracle with two folders: one for the host and one for the container."""
    folders = tmp_path / "native" / "work", tmp_path / "inside" / "work"
    for folder in folders:
        folder.mkdir(parents=True)
    yield Oracle(sandbox, *folders)
    for folder in folders:  # may hold thousands of files
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def short_oracle(sandbox: Sandbox) -> Iterator[Oracle]:
    """Return an oracle whose folders have short names, since sun_path holds only 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        native, inside = pathlib.Path(folder, "n"), pathlib.Path(folder, "i")
        native.mkdir()
        inside.mkdir()
        yield Oracle(sandbox, native, inside)


@pytest.fixture
def net(tmp_path: pathlib.Path) -> Net:
    """Return two networks without containers."""
    net = Net(tmp_path)
    net.add_network(1)
    net.add_network(2)
    return net

# SPDX-License-Identifier: MIT
"""What integration tests share."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.harness.command import Sandbox


@pytest.fixture
def engine(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """The command, with a runtime directory of its own; what runs at the end is killed."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    yield sandbox
    ids = sandbox.ok("ps", "-aq").split()
    if ids:
        sandbox.ok("rm", "-f", *ids)

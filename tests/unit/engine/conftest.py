# SPDX-License-Identifier: MIT
"""A fixture for the tests of the engine: an engine over an empty store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.store.layout import Layout
from tests.harness.store import Store

if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Store:
    return Store(Layout(tmp_path / "store"))

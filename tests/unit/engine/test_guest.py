# SPDX-License-Identifier: MIT
"""The guest runtime in the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.engine.guest import install_guest
from sandbox.native import core

if TYPE_CHECKING:
    from tests.harness.store import Store


def test_the_runtime_is_copied_once_and_named_by_its_content(engine: Store) -> None:
    engine.layout.prepare()
    path = Path(install_guest(engine.layout))
    assert path.parent == engine.layout.guest_dir
    assert path.read_bytes() == Path(core.guest_path()).read_bytes()
    assert os.access(path, os.X_OK)
    before = path.stat()
    assert install_guest(engine.layout) == str(path)
    assert path.stat().st_ino == before.st_ino
    assert list(engine.layout.tmp.iterdir()) == []


def test_a_copy_that_was_deleted_is_made_again(engine: Store) -> None:
    engine.layout.prepare()
    path = Path(install_guest(engine.layout))
    path.unlink()
    assert install_guest(engine.layout) == str(path)
    assert path.exists()

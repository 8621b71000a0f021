# SPDX-License-Identifier: MIT
"""``system prune``."""

from __future__ import annotations

import os

import pytest

from sandbox.cli.main import main
from sandbox.store.fsck import check
from tests.harness import images
from tests.harness.store import Store


def test_system_prune_removes_files_that_nothing_uses(engine: Store) -> None:
    engine.load([[images.file("a")]], tags=["a:1"])
    layout = engine.layout
    (layout.downloads / ("0" * 64)).write_bytes(b"x" * 10_000)
    (layout.blobs / ("1" * 64)).write_bytes(b"x" * 10_000)
    (layout.layers / ("2" * 64)).mkdir()
    (layout.tmp / "left").mkdir()
    pruned = engine.system.prune()
    assert pruned.freed > 20_000
    assert check(layout, repair=False) == []
    assert os.listdir(layout.downloads) == os.listdir(layout.tmp) == []
    assert len(engine.images.list()) == 1


@pytest.mark.parametrize("until", ["1h", "2020-01-01T00:00:00Z", "1577836800"])
def test_until_of_system_prune_is_a_duration_a_date_or_unix_seconds(
    engine: Store, until: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.load([[images.file("a")]], tags=["a:1"])
    assert main(["create", "--name", "young", "a:1", "/x"]) == 0
    assert main(["system", "prune", "-f", "--filter", f"until={until}"]) == 0
    assert "Total reclaimed space: " in capsys.readouterr().out
    assert [item.config.name for item in engine.containers.list()] == ["young"]

# SPDX-License-Identifier: MIT
"""Build steps whose layers may have been lost in a crash of the machine."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from sandbox.models.digest import digest_of
from sandbox.store import build_cache
from sandbox.store.layout import Layout
from sandbox.store.unsynced_steps import drop_unsynced_steps

if TYPE_CHECKING:
    import pytest

ONE, TWO = digest_of(b"1"), digest_of(b"2")


def test_unsynced_steps_of_an_earlier_boot_are_dropped(
    tmp_path: pathlib.Path,
) -> None:
    layout = Layout(tmp_path / "store")
    layout.prepare()
    for layer in (ONE, TWO):
        layout.layer(layer).mkdir()
    for key, layer, boot in (("a" * 64, ONE, "another"), ("b" * 64, TWO, build_cache.boot_id())):
        step = build_cache.Step(layer=layer, created="", description="", boot=boot)
        build_cache.write_step(layout, key, step)
    assert build_cache.read_step(layout, "a" * 64) is None
    assert build_cache.read_step(layout, "b" * 64) is not None
    layout.build_boot.write_text("another")
    drop_unsynced_steps(layout)
    assert not layout.layer(ONE).exists(), "a layer with incomplete files is kept"
    assert layout.build_boot.read_text() == build_cache.boot_id()
    assert layout.layer(TWO).exists()
    build_cache.settle(layout, ["b" * 64])
    settled = build_cache.read_step(layout, "b" * 64)
    assert settled is not None
    assert settled.boot == ""


def test_the_records_are_checked_once_after_each_boot(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "store")
    layout.prepare()
    looked: list[Layout] = []
    monkeypatch.setattr(build_cache, "steps", lambda where: looked.append(where) or [])
    for boot in ("one", "one", "two", "two"):
        monkeypatch.setattr(build_cache, "boot_id", lambda boot=boot: boot)
        drop_unsynced_steps(layout)
    assert len(looked) == 2

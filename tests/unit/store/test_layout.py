# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sandbox.errors import PermissionDenied
from sandbox.store.layout import Layout, default_root


def test_the_root_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("SANDBOX_ROOT", "/root")
    assert default_root() == Path("/root")
    monkeypatch.delenv("SANDBOX_ROOT")
    assert default_root() == Path("/data/sandbox")
    monkeypatch.setenv("XDG_DATA_HOME", "relative is not allowed")
    assert default_root() == Path.home() / ".local/share/sandbox"


def test_only_the_owner_may_read_a_store(tmp_path: Path) -> None:
    Layout(tmp_path / "a" / "store").prepare()
    for path in (tmp_path / "a/store", tmp_path / "a/store/layers"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_folder_without_write_permission_is_named(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)
    try:
        with pytest.raises(PermissionDenied, match=r"cannot create the store .*/store"):
            Layout(tmp_path / "store").prepare()
    finally:
        os.chmod(tmp_path, 0o700)

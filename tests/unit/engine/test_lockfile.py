# SPDX-License-Identifier: MIT
"""Lockfiles on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sandbox.engine.lockfile import check_lockfile, chosen_lockfile, lock_images
from sandbox.errors import CorruptData, SandboxError, UsageError
from sandbox.models.digest import Digest
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    import pathlib

ONE, TWO = Digest("sha256:" + "1" * 64), Digest("sha256:" + "2" * 64)


def test_a_name_is_added_and_others_stay(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    check_lockfile(path)
    lock_images(path, [(parse_reference("a:1"), ONE)])
    lock_images(path, [(parse_reference("b:1"), TWO)])
    lock_images(path, [(parse_reference("a:1"), TWO)])
    lock = chosen_lockfile(path, strict=False)
    assert lock is not None
    assert (lock.digest_of("a:1"), lock.digest_of("b:1")) == (TWO, TWO)
    assert os.listdir(tmp_path) == ["home", "lock"] or os.listdir(tmp_path) == ["lock", "home"]


def test_the_mode_of_a_lockfile_is_kept_and_a_link_is_followed(tmp_path: pathlib.Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    lock_images(str(real), [(parse_reference("a:1"), ONE)])
    assert real.stat().st_mode & 0o777 == 0o644
    real.chmod(0o640)
    link.symlink_to(real)
    lock_images(str(link), [(parse_reference("a:1"), TWO)])
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


def test_locked_needs_a_lockfile() -> None:
    assert chosen_lockfile(None, strict=False) is None
    with pytest.raises(UsageError, match="--locked needs --lockfile FILE"):
        chosen_lockfile(None, strict=True)


def test_a_file_that_is_no_lockfile_is_refused_and_kept(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "lock"
    path.write_text("{")
    with pytest.raises(CorruptData):
        check_lockfile(str(path))
    with pytest.raises(CorruptData):
        lock_images(str(path), [(parse_reference("a:1"), ONE)])
    assert path.read_text() == "{"
    with pytest.raises(SandboxError, match="cannot read"):
        check_lockfile(str(tmp_path))

# SPDX-License-Identifier: MIT
"""The cgroup of a run, on made trees (integration/containers/test_cgroups.py asks a kernel)."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

from sandbox.models.policy import Policy
from sandbox.runtime import rundir
from sandbox.runtime.limits import cgroups
from sandbox.runtime.limits.cgroup_plan import Own
from tests.unit.runtime.limits.test_cgroup_plan import made_cgroup

if TYPE_CHECKING:
    import pytest


def test_a_cgroup_is_not_used_if_processes_cannot_be_moved(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = made_cgroup(tmp_path / "top", has="pids", gives="pids")
    monkeypatch.setattr(cgroups, "own", lambda: Own(str(top), str(top)))
    place = rundir.RunDir(str(tmp_path / "run"))
    os.mkdir(place.path)
    with cgroups.made(Policy(pids_limit=5), "0123456789abcdef", place) as held:
        assert held == frozenset()
        assert not os.path.lexists(place.cgroup)
    assert sorted(item.name for item in top.iterdir() if item.is_dir()) == []


def test_only_cgroups_created_for_a_container_are_removed(tmp_path: pathlib.Path) -> None:
    other = tmp_path / "user.slice"
    other.mkdir()
    place = rundir.RunDir(str(tmp_path / "run"))
    os.mkdir(place.path)
    os.symlink(other, place.cgroup)
    cgroups.remove(place.path)
    assert other.is_dir()

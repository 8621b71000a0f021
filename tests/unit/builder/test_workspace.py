# SPDX-License-Identifier: MIT
"""The workspaces of builds: what killed builds left goes, what running builds use stays."""

from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.builder import workspace
from sandbox.runtime import rundir
from sandbox.store import atomic_files
from sandbox.store.layout import Layout


@pytest.fixture
def layout(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A store whose containers have their run directories in a folder of the test."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    layout = Layout(tmp_path / "store")
    layout.prepare()
    return layout


def run_directory(place: pathlib.Path, layout: Layout) -> pathlib.Path:
    """Return the run directory of a new box in the workspace *place*."""
    box = workspace.Workspace(layout, place, "guest").box()
    return pathlib.Path(rundir.create(box.id, os.environ).path)


def test_the_run_directories_of_a_killed_build_are_removed(layout: Layout) -> None:
    place = layout.tmp / f"{workspace.PREFIX}killed"
    place.mkdir()
    left = run_directory(place, layout)
    workspace.clean_up(layout)
    assert not left.exists()


def test_a_note_that_a_kill_left_empty_removes_nothing_of_others(layout: Layout) -> None:
    other = pathlib.Path(rundir.create(os.urandom(32).hex(), os.environ).path)
    place = layout.tmp / f"{workspace.PREFIX}killed"
    place.mkdir()
    left = run_directory(place, layout)
    for note in place.glob("box-*/running"):
        note.write_text("")
    workspace.clean_up(layout)
    assert other.exists()
    assert left.exists()


def test_the_run_directories_of_a_running_build_stay(layout: Layout) -> None:
    with atomic_files.workspace(layout, workspace.PREFIX) as place:
        used = run_directory(place, layout)
        workspace.clean_up(layout)
        assert used.exists()


def test_the_run_directory_of_a_build_that_begins_meanwhile_stays(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = layout.tmp / f"{workspace.PREFIX}young"
    place.mkdir()  # the build has not said yet that it owns the workspace
    used = []

    def seen_too_early(path: pathlib.Path) -> bool:
        is_owned = atomic_files.is_owned(path)
        used.append(run_directory(place, layout))
        return is_owned

    monkeypatch.setattr(workspace, "is_owned", seen_too_early)
    workspace.clean_up(layout)
    assert all(path.exists() for path in used)

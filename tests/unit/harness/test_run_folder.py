# SPDX-License-Identifier: MIT
"""The folder of a test run."""

import os
import pathlib
import subprocess

from tests.harness.run_folder import make_run_folder


def test_what_a_killed_run_left_is_removed_however_deep_it_is(tmp_path: pathlib.Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f"run-{ended.pid}"
    left.mkdir()
    here = os.open(left, os.O_PATH)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_PATH, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)

    make_run_folder(tmp_path)

    assert not left.exists()


def test_what_a_killed_run_closed_is_removed(tmp_path: pathlib.Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    closed = tmp_path / f"run-{ended.pid}" / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0)

    make_run_folder(tmp_path)

    assert not closed.parent.exists()


def test_the_folder_of_another_run_stays(tmp_path: pathlib.Path) -> None:
    other = tmp_path / f"run-{os.getppid()}"
    other.mkdir()

    mine = make_run_folder(tmp_path)

    assert mine != other
    assert other.exists()

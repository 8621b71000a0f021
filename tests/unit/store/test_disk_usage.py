# SPDX-License-Identifier: MIT
"""Disk usage of files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sandbox.store.disk_usage import disk_usage


def test_disk_usage_is_the_same_as_from_du(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "deep" / "er").mkdir(parents=True)
    (top / "file").write_bytes(b"x" * 100_000)
    (top / "deep" / "small").write_bytes(b"x")
    (top / "deep" / "link").symlink_to("/")
    os.link(top / "file", top / "deep" / "er" / "other-name")
    with open(top / "sparse", "wb") as file:
        file.truncate(10 << 20)
    done = subprocess.run(["du", "-s", "-B1", top], capture_output=True, check=True, text=True)
    assert disk_usage([top]) == int(done.stdout.split()[0])


def test_files_that_were_counted_before_are_not_counted_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    (one / "file").write_bytes(b"x" * 50_000)
    os.link(one / "file", two / "file")
    seen: set[tuple[int, int]] = set()
    first = disk_usage([one], seen)
    assert first >= 50_000
    assert disk_usage([two], seen) < first
    assert disk_usage([one], seen) == 0


def test_a_missing_folder_takes_no_space(tmp_path: Path) -> None:
    assert disk_usage([tmp_path / "none"]) == 0

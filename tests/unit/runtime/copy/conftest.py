# SPDX-License-Identifier: MIT
"""A directory with all that is hard to copy."""

from __future__ import annotations

import os
import pathlib

import pytest


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "source"
    (root / "d/e").mkdir(parents=True)
    (root / "d/file").write_bytes(b"content")
    (root / "d/file").chmod(0o640)
    os.link(root / "d/file", root / "d/second")
    os.symlink("file", root / "d/link")
    os.mkfifo(root / "d/pipe")
    (root / os.fsdecode(b"d/\xff\xfe")).write_bytes(b"odd")
    os.utime(root / "d/file", ns=(10**9, 123456789012345678))
    (root / "d/e").chmod(0o555)
    return root

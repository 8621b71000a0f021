# SPDX-License-Identifier: MIT
"""What guest tests share: the places a tree can lie in, and the ways a program is built."""

from __future__ import annotations

import pathlib
import platform
import shutil
from collections.abc import Iterator

import pytest

from tests.harness.command import Sandbox
from tests.harness.oracle import Oracle

# musl's compiler wrapper does not know the kernel's headers: last of all, ours.
KERNEL_HEADERS = (
    "-idirafter",
    "/usr/include",
    "-idirafter",
    f"/usr/include/{platform.machine()}-linux-gnu",
)
BUILDS = {
    "static": ("gcc", "-static"),
    "static-pie": ("gcc", "-static-pie"),
    "dynamic": ("gcc", "-pie"),
    "non-pie": ("gcc", "-no-pie"),
    "musl-static": ("musl-gcc", "-static", *KERNEL_HEADERS),
    "musl-dynamic": ("musl-gcc", *KERNEL_HEADERS),
}


@pytest.fixture
def oracle(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Oracle]:
    """Two folders for one program: here, and the same one as a container sees it."""
    folders = tmp_path / "native", tmp_path / "inside"
    for folder in folders:
        folder.mkdir()
    yield Oracle(sandbox, *folders)
    for folder in folders:  # thousands of files: do not keep them
        shutil.rmtree(folder, ignore_errors=True)

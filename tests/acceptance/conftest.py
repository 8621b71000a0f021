# SPDX-License-Identifier: MIT
"""Images that are dear to make: once per test run, shared by the workers of pytest-xdist."""

from __future__ import annotations

import fcntl
import os
import pathlib
from collections.abc import Callable

import pytest

from tests.conftest import prepared
from tests.harness.command import Sandbox


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Sandbox]:
    """once(NAME, make): a sandbox whose store make(sandbox, folder) has filled."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def shared(name: str, make: Callable[[Sandbox, pathlib.Path], None]) -> Sandbox:
        folder = base / f"shared-{name}"
        folder.mkdir(exist_ok=True)
        sandbox = Sandbox(folder / "store", {"HOME": str(folder)})
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "tried").exists():
                (folder / "tried").touch()
                make(sandbox, folder)
                (folder / "ready").touch()
        assert (folder / "ready").exists(), f"{name} could not be made: see the first failure"
        return sandbox

    return shared


@pytest.fixture(scope="session")
def debian_image(once: Callable[..., Sandbox], debian: pathlib.Path) -> Sandbox:
    """A store that holds the image `debian`."""

    def make(sandbox: Sandbox, _: pathlib.Path) -> None:
        sandbox.ok("import", debian / "rootfs.tar", "debian")

    return once("debian", make)


@pytest.fixture(scope="session")
def toolchain_image(once: Callable[..., Sandbox]) -> Sandbox:
    """A store that holds the image `toolchain`: gcc, make, git, python3."""
    rootfs = prepared("toolchain") / "rootfs.tar"

    def make(sandbox: Sandbox, _: pathlib.Path) -> None:
        sandbox.ok("import", rootfs, "toolchain")

    return once("toolchain", make)

# SPDX-License-Identifier: MIT
"""Images that take long to make: made once a test run, shared by the workers of pytest-xdist."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from tests.conftest import prepared
from tests.harness.command import Sandbox


@pytest.fixture(scope="session")
def debian_image(once: Callable[..., Sandbox], debian: pathlib.Path) -> Sandbox:
    """A store with the image `debian`."""

    def make(sandbox: Sandbox, _: pathlib.Path) -> None:
        sandbox.ok("import", debian / "rootfs.tar", "debian", timeout=250)

    return once("debian", make)


@pytest.fixture(scope="session")
def toolchain_image(once: Callable[..., Sandbox]) -> Sandbox:
    """A store with the image `toolchain`: gcc, make, git, python3."""
    rootfs = prepared("toolchain") / "rootfs.tar"

    def make(sandbox: Sandbox, _: pathlib.Path) -> None:
        sandbox.ok("import", rootfs, "toolchain", timeout=250)

    return once("toolchain", make)


@pytest.fixture(scope="session")
def trixie_image(once: Callable[..., Sandbox]) -> Sandbox:
    """A store with the image `trixie`: bash, coreutils and python3 of Debian 13."""
    rootfs = prepared("trixie") / "rootfs.tar"

    def make(sandbox: Sandbox, _: pathlib.Path) -> None:
        sandbox.ok("import", rootfs, "trixie")

    return once("trixie", make)

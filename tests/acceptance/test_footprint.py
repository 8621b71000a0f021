# SPDX-License-Identifier: MIT
"""A container's disk space: its own changes, and little else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

CONTAINERS = [f"kept-{number}" for number in range(10)]
MOST_BYTES = 100 * 1024
MOST_INODES = 20


def _disk_usage(path: pathlib.Path) -> tuple[int, int]:
    """Return the bytes and inodes that *path* uses, counted as du does."""
    counts = []
    for option in ("--block-size=1", "--inodes"):
        done = subprocess.run(
            ["du", "-s", option, path], capture_output=True, check=True, timeout=100, text=True
        )
        counts.append(int(done.stdout.split()[0]))
    return counts[0], counts[1]


def _check_costs(sandbox: Sandbox, note: Callable[[str, object], None], *command: str) -> None:
    """Keep ten containers of *command*; check that they use little disk space."""
    sandbox.ok("run", "--rm", *command)  # builds the index of the image
    before = _disk_usage(sandbox.store)
    for name in CONTAINERS:
        sandbox.ok("run", "--name", name, *command)
    after = _disk_usage(sandbox.store)
    added = ((after[0] - before[0]) / 10, (after[1] - before[1]) / 10)
    ids = sandbox.ok("inspect", "-f", "{{.Id}}", *CONTAINERS).split()
    each = [_disk_usage(sandbox.store / "containers" / full) for full in ids]
    note("KiB and inodes a container", (added[0] / 1024, added[1]))
    assert len(each) == 10
    for size, inodes in [added, *each]:
        assert size < MOST_BYTES
        assert inodes < MOST_INODES


@pytest.mark.parametrize(
    "script",
    ["true", "echo text > /etc/sbx; chown 12:34 /etc/sbx; seq 100"],
    ids=["nothing", "a file and some output"],
)
def test_ten_containers_of_the_host_use_little_disk_space(
    sandbox: Sandbox, script: str, record_property: Callable[[str, object], None]
) -> None:
    _check_costs(sandbox, record_property, "host", "sh", "-c", script)


@pytest.mark.timeout(600)
def test_ten_containers_of_one_image_use_little_disk_space(
    sandbox: Sandbox, debian: pathlib.Path, record_property: Callable[[str, object], None]
) -> None:
    # The store is measured as a whole, so no other test may change it.
    sandbox.ok("import", debian / "rootfs.tar", "debian", timeout=200)
    _check_costs(sandbox, record_property, "debian", "cat", "/etc/debian_version")

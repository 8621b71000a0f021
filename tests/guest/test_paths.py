# SPDX-License-Identifier: MIT
"""Every call that takes a path gives the kernel's result, for every kind of path."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

from tests.harness import oracle as oracles
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

# Groups of calls, and the places of the tree that they work on. The container makes the tree
# ("upper"), the host makes it before ("lower"), or it lies in a bind mount or in a tmpfs.
EVERYWHERE = ("upper", "lower", "bind", "tmpfs")
IN_LAYERS = ("upper", "lower")
GROUPS = {
    "look": EVERYWHERE,
    "open": ("upper", "lower", "tmpfs"),
    "change": ("upper", "lower", "tmpfs"),
    "meta": ("lower", "tmpfs"),
    "xattr": IN_LAYERS,
    "pairs": IN_LAYERS,
    "openat2": IN_LAYERS,
}
CASES = [(group, place) for group, places in GROUPS.items() for place in places]

DIFFERS = {
    r"^openat2_path[ A-Z_]*\((fd, )?/\) = 0": "natively the caller does not own the root directory",
    r"^openat2\w* NO_XDEV\(la\)": "Linux returns EXDEV for an absolute link unless the path began "
    "at the root",
}
BELOW_A_MOUNT = {
    r"^openat2\w* NO_XDEV\(/": "natively a path from the root crosses a mount of the machine",
}


def is_below_a_mount(folder: pathlib.Path) -> bool:
    rows = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    mounts = {row.split()[4] for row in rows} - {"/"}
    return any(str(path) in mounts for path in (folder, *folder.parents))


def observe(oracle: Oracle, program: pathlib.Path, group: str, place: str) -> oracles.Seen:
    """Make the tree in its place and run the calls in a container."""
    folder = str(oracle.inside_folder)
    if place == "lower":
        subprocess.run([program, group, "prepare", folder], check=True, timeout=100)
        before = oracles.tree_hash(oracle.inside_folder)
        actual = oracle.inside([program, group, "observe", folder])
        assert oracles.tree_hash(oracle.inside_folder) == before, "the host's files changed"
        return actual
    flags = {"bind": ["-v", f"{folder}:{folder}"], "tmpfs": ["--tmpfs", folder]}
    return oracle.inside([program, group, "both", folder], *flags.get(place, []))


@contextlib.contextmanager
def native_place(oracle: Oracle, place: str) -> Iterator[pathlib.Path]:
    """Return a folder of the host on the same kind of file system, with a name as long."""
    if place != "tmpfs":
        yield oracle.native_folder
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        missing = len(str(oracle.inside_folder)) - len(scratch) - 1
        folder = pathlib.Path(scratch) / ("x" * missing)
        folder.mkdir()
        yield folder


@pytest.mark.parametrize(("group", "place"), CASES)
def test_calls_give_the_results_of_the_kernel(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    program = guest_program("paths")
    with native_place(oracle, place) as folder:
        expected = oracles.native([program, group, "both", folder], folder)
        differs = DIFFERS | (BELOW_A_MOUNT if is_below_a_mount(folder) else {})
    expected = oracles.renamed(expected, str(folder), oracle.native_folder)
    oracle.compare(expected, observe(oracle, program, group, place), differs)

# SPDX-License-Identifier: MIT
"""Processes and threads start, share state, wait and end as in the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.cbuild import BUILDS

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = (
    "tree",
    "statuses",
    "waiting",
    "orphans",
    "vforks",
    "shared-cwd",
    "umasks",
    "spawns",
    "thousand-threads",
    "fork-with-threads",
    "exec-from-thread",
    "thread-exits",
    "many-children",
    "fds",
    "closing",
    "unused-limit",
    "sessions",
    "daemons",
    "names",
    "bad-clones",
)
DIFFERS = {
    "closing": {r"^no number is free": "rmdir and copy-up need a free descriptor"},
}


def every_group(oracle: Oracle, program, groups: tuple[str, ...]) -> None:
    problems = []
    for group in groups:
        try:
            oracle.below(group).same([program, group], differs=DIFFERS.get(group))
        except AssertionError as error:
            problems.append(f"{group}: {error}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("group", GROUPS)
def test_processes_behave_as_in_the_kernel(oracle: Oracle, guest_program, group: str) -> None:
    program = guest_program("processes", *BUILDS["static"])
    oracle.same([program, group], differs=DIFFERS.get(group))


@pytest.mark.parametrize("build", ["static-pie", "dynamic", "non-pie", "musl-static"])
def test_every_build_of_a_program_starts_and_ends_processes_as_in_the_kernel(
    oracle: Oracle, guest_program, build: str
) -> None:
    groups = ("vforks", "spawns", "thousand-threads", "exec-from-thread", "thread-exits", "fds")
    every_group(oracle, guest_program("processes", *BUILDS[build]), groups)


def test_clone3_gives_enosys_as_in_an_older_kernel(oracle: Oracle, guest_program) -> None:
    """On ENOSYS every libc falls back to clone(2)."""
    actual = oracle.inside([guest_program("processes"), "clone3"])
    assert actual.output.startswith("clone3: ENOSYS\n")


@pytest.mark.xfail(reason="the umask is kept for each address space", strict=True)
def test_a_clone_with_clone_fs_shares_the_umask(oracle: Oracle, guest_program) -> None:
    oracle.same([guest_program("processes"), "shared-umask"])

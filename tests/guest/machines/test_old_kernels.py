# SPDX-License-Identifier: MIT
"""Containers run on kernels that lack newer system calls.

An outer filter, which programs on the host get, too, answers ENOSYS: to one call, or to all that
Linux 4.18 lacks. The numbers of those begin at FIRST_LATER.
"""

from __future__ import annotations

import errno
import os
import pathlib
import sys
from dataclasses import dataclass, replace

import pytest

from tests.harness.cbuild import BUILDS
from tests.harness.command import ROOT, Sandbox
from tests.harness.oracle import Oracle, native

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(
        os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace", reason="once is enough"
    ),
]

RESTRICT = ROOT / "tests" / "harness" / "restrict.py"
FIRST_LATER = 424  # pidfd_send_signal, of Linux 5.1
CALLS = {
    "pidfd_send_signal": 424,
    "pidfd_open": 434,
    "clone3": 435,
    "close_range": 436,
    "openat2": 437,
    "faccessat2": 439,
    "fchmodat2": 452,
}
# program: groups that a missing call might change
FEW = {
    "files": ("modes", "times", "links"),
    "execs": ("scripts", "after-start"),
    "directory_listings": ("seeks",),
}
MANY = {
    "files": (*FEW["files"], "dirfds", "unlinked", "tmpfiles", "contents", "xattrs", "locks"),
    "execs": ("arguments", "addresses", "searches", "scripts", "chains", "at", "after-start"),
    "directory_listings": ("kinds", "seeks", "removing", "adding", "renaming"),
    "processes": ("tree", "vforks", "shared-cwd", "umasks", "spawns", "daemons"),
    "signals": ("masks", "waits", "faults", "threads", "children", "exec"),
}


# A wrong argument is found before the kernel is asked.
DIFFERS = {r"SYS_epoll_pwait2, .*, 4\)": "EINVAL, not ENOSYS"}


@dataclass(frozen=True)
class OldSandbox(Sandbox):
    """The command under the filter."""

    filter: tuple[str, ...] = ()

    def argv(self, *arguments: str | os.PathLike[str]) -> list[str]:
        """Return the command line."""
        return [*self.filter, *super().argv(*arguments)]


def restricted(how: str, number: int) -> tuple[str, ...]:
    """Return the start of a command under a filter."""
    return sys.executable, str(RESTRICT), how, str(number), str(errno.ENOSYS)


def compare(oracle: Oracle, start: tuple[str, ...], program: pathlib.Path, group: str) -> None:
    """Run a group here and in a container, both under the filter."""
    below = oracle.below(f"{program.name}-{group}")
    old = OldSandbox(oracle.sandbox.store, oracle.sandbox.environ, start)
    expected = native([*start, program, group, "both"], below.native_folder)
    actual = replace(below, sandbox=old).inside([program, group, "both"])
    below.compare(expected, actual, DIFFERS)


@pytest.mark.parametrize("program", FEW)
@pytest.mark.parametrize("missing", CALLS)
def test_a_missing_call_is_done_without(
    oracle: Oracle, guest_program, missing: str, program: str
) -> None:
    start = restricted("--refuse", CALLS[missing])
    for group in FEW[program]:
        compare(oracle, start, guest_program(program, *BUILDS["dynamic"]), group)


@pytest.mark.parametrize("program", MANY)
def test_programs_run_on_a_kernel_as_old_as_4_18(
    oracle: Oracle, guest_program, program: str
) -> None:
    start = restricted("--refuse-from", FIRST_LATER)
    for group in MANY[program]:
        compare(oracle, start, guest_program(program, *BUILDS["dynamic"]), group)


def test_a_container_of_an_old_kernel_is_entered_and_stopped(sandbox: Sandbox) -> None:
    old = OldSandbox(sandbox.store, sandbox.environ, restricted("--refuse-from", FIRST_LATER))
    old.ok("run", "-d", "--name", "box", "host", "sleep", "600")
    script = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done"
    assert old.ok("exec", "box", "sh", "-c", script).split()[:3] == ["0", "1", "2"]
    old.ok("stop", "-t", "0", "box")
    assert "Exited" in old.ok("ps", "-a")
    old.ok("rm", "box")

# SPDX-License-Identifier: MIT
"""Signals are delivered, blocked and reported as in the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.cbuild import BUILDS

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = (
    "actions",
    "masks",
    "full-mask-handler",
    "waits",
    "pending",
    "flags",
    "faults",
    "stacks",
    "overflow",
    "contexts",
    "threads",
    "deaths",
    "children",
    "senders",
    "exec",
    "registers",
)

# The sandbox intercepts system calls by SIGSYS, so guests cannot use that signal freely.
SIGSYS_GROUPS = {
    "sigsys-handler": "a SIGSYS that a process sends does not run the guest's handler",
    "sigsys-exec": "execve forgets that SIGSYS was ignored or blocked",
}
DIFFERS = {
    "full-mask-handler": {
        r"^in the handler:": "a handler's mask does not show SIGSYS",
    },
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
def test_signals_work_as_in_the_kernel(oracle: Oracle, guest_program, group: str) -> None:
    program = guest_program("signals", *BUILDS["static"])
    oracle.same([program, group], differs=DIFFERS.get(group))


@pytest.mark.parametrize("build", ["dynamic", "musl-static"])
def test_signals_work_as_in_the_kernel_with_every_libc(
    oracle: Oracle, guest_program, build: str
) -> None:
    program = guest_program("signals", *BUILDS[build])
    every_group(oracle, program, ("masks", "waits", "flags", "stacks", "threads", "deaths"))


@pytest.mark.xfail(reason="a bad pointer ends a program that blocks SIGSEGV", strict=True)
def test_bad_pointers_give_efault_while_sigsegv_is_blocked(oracle: Oracle, guest_program) -> None:
    oracle.same([guest_program("signals"), "bad-pointers-blocked"])


@pytest.mark.parametrize("group", SIGSYS_GROUPS)
@pytest.mark.xfail(reason="the sandbox uses SIGSYS", strict=True)
def test_a_guest_may_use_sigsys(oracle: Oracle, guest_program, group: str) -> None:
    oracle.same([guest_program("signals"), group])

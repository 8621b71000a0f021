# SPDX-License-Identifier: MIT
"""A program may use gs itself: the runtime, which uses it too, gives it back on every way out."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.harness.oracle import native

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = ("calls", "flips", "children", "storm", "contexts", "faults")
TOOLS = ("memcheck", "helgrind", "callgrind")
one_tracer = pytest.mark.skipif(
    os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace", reason="a thread has one tracer"
)


def on_old_processor(oracle: Oracle) -> Oracle:
    """Return an oracle whose containers have no instructions for gs, only the kernel's call."""
    environ = {**oracle.sandbox.environ, "SANDBOX_TEST_OLD_PROCESSOR": "1"}
    return replace(oracle, sandbox=replace(oracle.sandbox, environ=environ))


@pytest.mark.parametrize("way", ["trap", "rewrite", "ptrace"])
@pytest.mark.parametrize("group", GROUPS)
def test_gs_is_the_program_s(oracle: Oracle, guest_program, group: str, way: str) -> None:
    oracle.same([guest_program("thread_pointer"), group], "--interceptor", way)


@pytest.mark.parametrize("way", ["trap", "rewrite", "ptrace"])
@pytest.mark.parametrize("group", GROUPS)
def test_gs_is_the_program_s_on_an_old_processor(
    oracle: Oracle, guest_program, group: str, way: str
) -> None:
    program = guest_program("thread_pointer")
    on_old_processor(oracle).same([program, group], "--interceptor", way)


@one_tracer
@pytest.mark.parametrize("way", ["trap", "rewrite"])
def test_a_debugger_sees_and_sets_the_program_s_gs(oracle: Oracle, guest_program, way: str) -> None:
    oracle.same([guest_program("thread_pointer"), "debugger"], "--interceptor", way)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind")
@pytest.mark.parametrize("tool", TOOLS)
def test_valgrind_reports_what_it_reports_natively(
    oracle: Oracle, guest_program, tool: str
) -> None:
    options = [f"--tool={tool}", "--log-fd=1"]
    if tool == "callgrind":
        options.append("--callgrind-out-file=/dev/null")
    command = ["env", "-i", "valgrind", *options, guest_program("thread_pointer"), "none"]
    expected = native(command, oracle.native_folder)
    actual = oracle.inside(command)
    assert without_pids(actual.output) == without_pids(expected.output), actual.errors


def without_pids(report: str) -> list[str]:
    """Return the lines of a report of Valgrind's."""
    return [line.split("==", 2)[-1] for line in report.splitlines()]

# SPDX-License-Identifier: MIT
"""The main process is 1 in every answer that a number comes back in."""

from __future__ import annotations

import pathlib

import pytest

from tests.harness.cbuild import BUILDS
from tests.harness.command import Sandbox
from tests.harness.oracle import Oracle, Seen

pytestmark = pytest.mark.guest

# From a pid namespace of the kernel: see identity.c.
RECORDED = pathlib.Path(__file__).parents[1] / "recorded" / "identity.txt"
TRACING = r"ptrace\(|tracer|TracerPid of the first"


@pytest.mark.parametrize(
    ("build", "interceptor", "reason"),
    [
        ("static", "trap", ""),
        ("static", "rewrite", ""),
        ("musl-static", "rewrite", ""),
        ("i386", "trap", "32-bit programs cannot trace"),
        ("static", "ptrace", "a process has one tracer, the container's"),
    ],
)
def test_no_two_views_of_a_process_disagree(
    oracle: Oracle, guest_program, build: str, interceptor: str, reason: str
) -> None:
    program = guest_program("identity", *BUILDS[build])
    found = oracle.inside([program], "--interceptor", interceptor)
    differs = {TRACING: reason} if reason else {}
    oracle.compare(Seen(0, RECORDED.read_text(), ""), found, differs)


def test_a_process_of_exec_has_no_parent(sandbox: Sandbox) -> None:
    sandbox.ok("run", "-d", "--name", "main", "host", "sleep", "600")
    try:
        assert sandbox.ok("exec", "main", "sh", "-c", "echo $PPID") == "0\n"
        assert sandbox.ok("exec", "main", "cat", "/proc/1/comm") == "sleep\n"
    finally:
        sandbox.ok("rm", "-f", "main")


def test_an_init_ignores_signals_from_inside_and_heeds_those_from_outside(
    sandbox: Sandbox,
) -> None:
    script = "trap 'echo heard' USR1; kill -TERM $$; kill -KILL $$; kill -USR1 $$; exit 3"
    done = sandbox.call("run", "--rm", "host", "sh", "-c", script)
    assert (done.stdout, done.returncode) == (b"heard\n", 3)
    sandbox.ok("run", "-d", "--name", "main", "host", "sleep", "600")
    sandbox.ok("exec", "main", "sh", "-c", "kill -TERM 1; kill -9 1")
    assert sandbox.ok("stop", "-t", "100", "main") == "main\n"
    assert sandbox.ok("inspect", "-f", "{{.State.ExitCode}}", "main") == "143\n"
    sandbox.ok("rm", "main")


def test_with_init_the_program_is_a_child_of_an_init_that_reaps(sandbox: Sandbox) -> None:
    script = (
        "echo $PPID; cat /proc/1/comm; (sh -c 'exit 7' & ); "
        "until ! ps -eo stat= | grep -q Z; do sleep 0.01; done; exit 4"
    )
    done = sandbox.call("run", "--rm", "--init", "host", "sh", "-c", script)
    assert (done.stdout, done.returncode) == (b"1\nsandbox-init\n", 4)
    done = sandbox.call("run", "--rm", "--init", "host", "sh", "-c", "kill -TERM $$")
    assert done.returncode == 143

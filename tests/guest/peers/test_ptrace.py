# SPDX-License-Identifier: MIT
"""ptrace works inside a container, as gdb and strace use it on their children."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.harness.command import Sandbox

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(
        os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace", reason="a thread has one tracer"
    ),
]


def test_a_vfork_child_may_ask_to_be_traced(sandbox: Sandbox, guest_program) -> None:
    program = guest_program("ptrace_child")
    native = subprocess.run([program], capture_output=True, text=True, timeout=100, check=True)
    assert native.stdout == "stopped 1 by 5\nended: exit 5\n"
    assert sandbox.host(str(program)) == native.stdout


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_strace_follows_children(sandbox: Sandbox) -> None:
    script = "strace -f -o /calls sh -c 'ls / > /dev/null; exit 3'; echo $?; grep -c exited /calls"
    assert sandbox.host("sh", "-c", script) == "3\n2\n"


@pytest.mark.skipif(shutil.which("gdb") is None, reason="needs gdb")
def test_gdb_starts_a_program_and_attaches_to_one(sandbox: Sandbox) -> None:
    gdb = "gdb -nx -batch -ex 'handle SIGSYS nostop noprint pass'"
    script = f"""
        {gdb} -ex run --args sh -c 'exit 7' < /dev/null 2>&1 | grep exited
        sleep 100 &
        {gdb} -p $! -ex 'info inferiors' -ex detach < /dev/null 2>&1 | grep -c 'process '
        kill $!
    """
    ended, attached = sandbox.host("sh", "-c", script).splitlines()
    assert "exited with code 07" in ended
    assert int(attached) >= 1

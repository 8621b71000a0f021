# SPDX-License-Identifier: MIT
"""Everyday uses of gdb and strace in a container work."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.harness.command import Sandbox

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(
        os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace", reason="a thread has one tracer"
    ),
]
needs_gdb = pytest.mark.skipif(shutil.which("gdb") is None, reason="needs gdb")
INTERCEPTORS = ("trap", "rewrite")

PROGRAM = r"""
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
static int look(const char *path)
{
	struct stat st;
	return stat(path, &st);
}
int main(void)
{
	int found = 0;
	for (int i = 0; i < 20; i++)
		found += look("/etc/passwd") == 0;
	printf("found %d\n", found);
	fflush(stdout);
	if (fork() == 0)
		execl("/bin/sh", "sh", "-c", "exit 9", (char *)NULL);
	return found;
}
"""

# /proc/PID/syscall names the call that a process waits in: 35 is nanosleep, 230 clock_nanosleep.
UNTIL_IT_SLEEPS = "until grep -qE '^(35|230) ' /proc/$!/syscall; do sleep 0.05; done"
COMPILE = f"cat > /t.c <<'END'\n{PROGRAM}END\ngcc -g -O0 -o /t /t.c || exit 99\n"


def inside(sandbox: Sandbox, interceptor: str, script: str) -> str:
    return sandbox.ok(
        "run", "--rm", "--interceptor", interceptor, "host", "sh", "-c", COMPILE + script
    )


@needs_gdb
@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_gdb_stops_at_a_breakpoint_steps_and_sees_no_sigsys(
    sandbox: Sandbox, interceptor: str
) -> None:
    commands = ("break look", "run", "bt 2", "finish", "next", "delete", "continue")
    words = " ".join(f"-ex '{command}'" for command in commands)
    shown = inside(sandbox, interceptor, f"gdb -nx -batch {words} /t < /dev/null 2>&1")
    assert "SIGSYS" not in shown
    assert "Breakpoint 1, look (path=" in shown
    assert "in main () at /t.c:14" in shown
    assert "Value returned is $1 = 0" in shown
    assert "found 20\n" in shown
    assert "exited with code 024" in shown


@needs_gdb
@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_gdb_attaches_to_a_running_program(sandbox: Sandbox, interceptor: str) -> None:
    shown = inside(
        sandbox,
        interceptor,
        f"sleep 1000 & {UNTIL_IT_SLEEPS}\n"
        "gdb -nx -batch -p $! -ex bt -ex detach < /dev/null 2>&1; kill $! && echo alive",
    )
    assert "nanosleep" in shown
    assert "SIGSYS" not in shown
    assert shown.endswith("alive\n")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_strace_follows_children_and_shows_no_sigsys(sandbox: Sandbox, interceptor: str) -> None:
    shown = inside(sandbox, interceptor, "strace -f -o /calls /t; echo $?; cat /calls")
    assert shown.startswith("found 20\n20\n")
    assert "--- SIGSYS" not in shown
    assert '"/etc/passwd"' in shown
    assert "exited with 9" in shown

# SPDX-License-Identifier: MIT
"""The table of names has the kernel's numbers, and the runtime's own calls are known."""

from __future__ import annotations

import pathlib
import re
import subprocess

from sandbox.native.syscall_names import number_of

CSRC = pathlib.Path(__file__).resolve().parents[3] / "csrc"
HOSTED = {"hosted", "layers"}
# Files that name calls without making them.
TABLES = {"fence.c", "verdict.c", "trace.c", "profile.c", "seccomp_filter.c"}
# Calls that the runtime makes only with the guest's own arguments.
PASSED = {
    *("unshare", "ptrace", "seccomp", "getrlimit", "setrlimit", "getppid", "setpgid"),
    *("getpriority", "setpriority", "ioprio_get", "ioprio_set", "rt_sigqueueinfo"),
    *("pidfd_getfd", "process_madvise", "clock_getres", "clock_nanosleep", "timer_create"),
    "sysinfo",
    *("shmget", "shmat", "shmdt", "semget", "semop", "semtimedop", "msgget", "msgsnd", "msgrcv"),
}
# Calls that the runtime makes by the guest's number, or in assembly.
UNNAMED = {"clone", "fork", "vfork", "rt_sigreturn"}


def test_each_name_has_the_number_of_the_kernel_s_header() -> None:
    done = subprocess.run(
        ["gcc", "-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    lines = re.findall(r"^#define __NR_(\w+) (\d+)$", done.stdout, re.MULTILINE)
    known = {name: int(number) for name, number in lines if int(number) <= 462}
    assert {name: number_of(name) for name in known} == known


def test_a_profile_lets_the_runtime_make_each_call_that_its_code_makes() -> None:
    """A profile that refused such a call would break the answers to others."""
    refused = re.findall(r"(?m)^REFUSE\((\w+)", (CSRC / "syscalls.def").read_text())
    own = (CSRC / "pure" / "profile.c").read_text().partition("own_calls[] = {")[2]
    listed = set(re.findall(r"__NR_(\w+)", own.partition("};")[0]))
    used = {
        name
        for path in CSRC.rglob("*.[chS]")
        if not HOSTED & set(path.parts) and path.name not in TABLES
        for name in re.findall(r"__NR_(\w+)", path.read_text())
    }
    assert listed == (used | UNNAMED) - PASSED - set(refused)

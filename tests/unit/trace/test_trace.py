# SPDX-License-Identifier: MIT
"""The program that makes a trace readable."""

from __future__ import annotations

import subprocess
import sys

LINES = rb"""7 x 0 execve() = 0 "/bin/ls" > "/store/bin/ls"
7 t 90000 openat(0xffffff9c,0x7f00,0x80000,0x0,0x0,0x0) = -ENOENT "a\x0ab" > "/up/a\x0ab"
7 r 500 faccessat2(0x3,0x7f00,0x4,0x200,0x0,0x0) = 0 "x"
8 p 2000 rename(0x1,0x2,0x3,0x4,0x5,0x6) = 0 "old" "new" > "/up/old" "/up/new"
8 n 0 chown: only pretended
half a line of somebody el
9 t 10 access(0x0,0x4,0x0,0x0,0x0,0x0) = -EFAULT
"""


def shown(*options: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "sandbox.trace", *options],
        input=LINES,
        capture_output=True,
        check=True,
        timeout=100,
    )
    return [" ".join(line.split()) for line in done.stderr.decode().splitlines()]


def test_calls_are_shown_as_by_strace_with_the_host_path() -> None:
    assert shown() == [
        '7 execve("/bin/ls") = 0 <"/store/bin/ls", new program>',
        '7 openat(AT_FDCWD, "a\\nb", O_RDONLY|O_CLOEXEC) = -1 ENOENT '
        '<"/up/a\\nb", trapped, 90.0 us>',
        '7 faccessat2(3, "x", 4) = 0 <rewritten, 0.5 us>',
        '8 rename("old", "new") = 0 <"/up/old" "/up/new", ptrace, 2.0 us>',
        "8 chown: only pretended",
        "9 access(NULL, R_OK) = -1 EFAULT <trapped, 0.0 us>",
    ]


def test_only_the_chosen_calls_are_shown() -> None:
    assert len(shown("--calls", "rename,access")) == 2


def test_the_table_counts_calls_by_interceptor_and_errors() -> None:
    table = shown("--count")
    assert table[2] == "97.29 0.000090 90.0 1 1 1 openat"
    assert table[-1] == "100.00 0.000093 23.1 4 2 2 1 1 total"

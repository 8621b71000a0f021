#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a program as a restricted pod would: `restrict.py PROGRAM ARG…`.

Installs a seccomp filter, then executes its arguments. Under the filter, new user namespaces
and every kind of mount fail with EPERM and clone3 fails with ENOSYS, as under the default
profile of container engines. Children inherit the filter, and nobody can remove it.
`restrict.py --refuse NUMBER ERRNO PROGRAM ARG…` lets only that call fail (above 423);
`--refuse-from` lets that one and all later ones fail.

Does not know: pytest. Needs no privileges and no library but libc.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2

LOAD, JUMP_EQ, JUMP_GE, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000

# Offsets in struct seccomp_data.
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16

# CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
CLONE_NEW_MASK = 0x7E020000

# machine -> its kinds of programs: (audit architecture, numbers, number of clone).
# From 424 on they are the same everywhere.
UNIFIED = {
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
    "open_tree_attr": 467,
}
X86_64 = {
    "unshare": 272,
    "setns": 308,
    "mount": 165,
    "umount2": 166,
    "pivot_root": 155,
    "chroot": 161,
}
# 32-bit programs of x86-64, which those profiles allow as well.
I386 = {
    "unshare": 310,
    "setns": 346,
    "mount": 21,
    "umount": 22,
    "umount2": 52,
    "pivot_root": 217,
    "chroot": 61,
}
AARCH64 = {
    "unshare": 97,
    "setns": 268,
    "mount": 40,
    "umount2": 39,
    "pivot_root": 41,
    "chroot": 51,
}
MACHINES = {
    "x86_64": (
        (0xC000003E, {**X86_64, **UNIFIED}, 56),
        (0x40000003, {**I386, **UNIFIED}, 120),
    ),
    "aarch64": ((0xC00000B7, {**AARCH64, **UNIFIED}, 220),),
}
CLONE3 = 435
LANDLOCK_CREATE_RULESET = 444


def instruction(code: int, jump_true: int, jump_false: int, operand: int) -> bytes:
    """Encode one struct sock_filter."""
    return struct.pack("=HBBI", code, jump_true, jump_false, operand)


def rules(forbidden: Mapping[str, int], clone: int) -> list[bytes]:
    """Return the rules for one kind of programs."""
    refuse = instruction(RETURN, 0, 0, ERRNO | errno.EPERM)
    lines = [
        instruction(LOAD, 0, 0, NUMBER),
        instruction(JUMP_EQ, 0, 1, CLONE3),
        instruction(RETURN, 0, 0, ERRNO | errno.ENOSYS),
    ]
    for number in forbidden.values():
        lines += [instruction(JUMP_EQ, 0, 1, number), refuse]
    return [
        *lines,
        instruction(JUMP_EQ, 0, 3, clone),
        instruction(LOAD, 0, 0, FIRST_ARGUMENT),
        instruction(JUMP_ANY_BIT, 0, 1, CLONE_NEW_MASK),
        refuse,
        instruction(RETURN, 0, 0, ALLOW),
    ]


def bpf_program(machine: str) -> bytes:
    """Return the filter. A call with the numbers of another architecture kills its process."""
    lines = [instruction(LOAD, 0, 0, ARCH)]
    for audit, forbidden, clone in MACHINES[machine]:
        decided = rules(forbidden, clone)
        lines += [instruction(JUMP_EQ, 0, len(decided), audit), *decided]
    return b"".join([*lines, instruction(RETURN, 0, 0, KILL)])


def refusal(number: int, error: int, jump: int = JUMP_EQ) -> bytes:
    """Return a filter that lets one call fail, which has the same number for all programs.

    With JUMP_GE, all later ones fail, too.
    """
    return b"".join(
        [
            instruction(LOAD, 0, 0, NUMBER),
            instruction(jump, 0, 1, number),
            instruction(RETURN, 0, 0, ERRNO | error),
            instruction(RETURN, 0, 0, ALLOW),
        ]
    )


def install_filter(program: bytes) -> None:
    """Put this process and its future children under the filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    count = len(program) // 8
    fprog = struct.pack("HxxxxxxQ", count, ctypes.addressof(code))
    for call in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, fprog, 0, 0),
    ):
        arguments = [a if isinstance(a, bytes) else ctypes.c_ulong(a) for a in call[1:]]
        if libc.prctl(ctypes.c_int(call[0]), *arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def main(arguments: Sequence[str]) -> NoReturn:
    """Install the filter and become the given program."""
    if not arguments:
        print("usage: restrict.py PROGRAM ARG...", file=sys.stderr)
        raise SystemExit(2)
    if arguments[0] in ("--refuse", "--refuse-from"):
        jump = JUMP_EQ if arguments[0] == "--refuse" else JUMP_GE
        install_filter(refusal(int(arguments[1]), int(arguments[2]), jump))
        arguments = arguments[3:]
    else:
        install_filter(bpf_program(platform.machine()))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    os.execvp(arguments[0], list(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])

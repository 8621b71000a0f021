#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a program as on a kernel with an older Landlock: `older_kernel.py ABI PROGRAM ARG...`.

A seccomp filter sends the question for the version of Landlock to this process, which answers
with the given one. All other calls are the kernel's.
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys

NR_SECCOMP, NR_CREATE_RULESET = 317, 444
PR_SET_NO_NEW_PRIVS = 38
MODE_FILTER, NEW_LISTENER = 1, 8
RECEIVE, SEND = 0xC0502100, 0xC0182101
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, NOTIFY = 0x7FFF0000, 0x7FC00000
FLAGS = 32  # the third argument in struct seccomp_data
GET_VERSION = 1


def install() -> int:
    """Install the filter; return the descriptor that gets the questions."""
    steps = [
        (LOAD, 0, 0, 0),
        (EQUAL, 0, 3, NR_CREATE_RULESET),
        (LOAD, 0, 0, FLAGS),
        (EQUAL, 0, 1, GET_VERSION),
        (RETURN, 0, 0, NOTIFY),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    memory = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener: int = libc.syscall(NR_SECCOMP, MODE_FILTER, NEW_LISTENER, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no filter")
    return listener


def answer(listener: int, version: int) -> None:
    """Answer one question."""
    question = bytearray(80)
    try:
        fcntl.ioctl(listener, RECEIVE, question)
        number = struct.unpack_from("=Q", question)[0]
        fcntl.ioctl(listener, SEND, struct.pack("=QqiI", number, version, 0, 0))
    except FileNotFoundError:
        pass  # who asked is gone


def main(version: int, command: list[str]) -> int:
    """Run the program and return its exit status."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        listener = install()
        socket.send_fds(theirs, [b"."], [listener])
        os.close(listener)
        os.execvp(command[0], command)
    _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    listener = array.array("i", fds)[0]
    watch = os.pidfd_open(pid)
    while True:
        ready, _, _ = select.select([listener, watch], [], [])
        if watch in ready:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answer(listener, version)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2:]))

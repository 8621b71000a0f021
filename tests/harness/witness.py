# SPDX-License-Identifier: MIT
"""An independent witness: trace a command from outside and record the calls of its guests.

`witness.py COMMAND ARG…` runs the command under python-ptrace (in a program of its own: the
library is GPL-2.0). For every system call of a container's process that reaches the kernel with
a path, it writes a line of JSON to descriptor 3: ``[name, path, instruction is the runtime's]``.
With ``WITNESS_EVERYBODY`` in the environment it records the command's own processes, too.

Rules: python-ptrace's loop sleeps between polls, the loop here waits. A call from the guest's
own code is recorded only if the kernel executed it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
from typing import Any

from ptrace.debugger import PtraceDebugger, PtraceProcess
from ptrace.debugger.child import createChild
from ptrace.error import PtraceError
from ptrace.syscall import FILENAME_ARGUMENTS, SYSCALL_NAMES, SYSCALL_PROTOTYPES

RUNTIME = range(0x567000000000, 0x567010000000)
REGISTERS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
SYSCALL_STOP = signal.SIGTRAP | 0x80
EVENTS = 0xFF0000
NOT_YET = 2**64 - errno.ENOSYS  # rax until a call has a result
EVERYBODY = "WITNESS_EVERYBODY" in os.environ
STORE = os.path.realpath(os.environ.get("SANDBOX_ROOT", "/nowhere"))


def path_arguments(name: str) -> list[str]:
    """Return the registers that hold paths in a call of this name."""
    arguments = SYSCALL_PROTOTYPES.get(name, ("", ()))[1]
    return [
        register
        for (kind, what), register in zip(arguments, REGISTERS, strict=False)
        if "const char" in kind
        and kind.count("*") == 1
        and what in FILENAME_ARGUMENTS
        and not (name.startswith("symlink") and register == "rdi")  # text, no path
    ]


PATHS = {number: path_arguments(name) for number, name in SYSCALL_NAMES.items()}


class Witness:
    """Examines every stop of every process."""

    def __init__(self, command: list[str]) -> None:
        self.debugger = PtraceDebugger()
        self.debugger.traceFork()
        self.debugger.traceExec()
        self.debugger.traceClone()
        self.debugger.enableSysgood()
        self.inside: dict[int, list[tuple[str, str, bool]] | None] = {}
        self.guests: set[int] = set()
        pid = createChild(command, no_stdout=False)
        self.main = pid
        self.debugger.addProcess(pid, is_attached=True).syscall()

    def run(self) -> int:
        """Wait until every process has ended; return the exit status of the command."""
        code = 1
        while True:
            try:
                pid, status = os.waitpid(-1, 0x40000000)
            except ChildProcessError:
                return code
            if os.WIFSTOPPED(status):
                with contextlib.suppress(PtraceError):
                    self.stopped(pid, status)
            elif pid == self.main:
                code = os.waitstatus_to_exitcode(status)

    def process(self, pid: int) -> PtraceProcess:
        if pid not in self.debugger.dict:
            # Not addProcess(): it waits for a stop that we have already seen.
            self.debugger.dict[pid] = PtraceProcess(self.debugger, pid, is_attached=True)
        return self.debugger.dict[pid]

    def stopped(self, pid: int, status: int) -> None:
        process = self.process(pid)
        process.is_stopped = True
        number = os.WSTOPSIG(status)
        if number == SYSCALL_STOP:
            try:
                self.on_call(process)
            finally:
                process.syscall()
        elif status & EVENTS or number in (signal.SIGTRAP, signal.SIGSTOP):
            process.syscall()
        else:
            process.syscall(number)

    def on_call(self, process: PtraceProcess) -> None:
        pid = process.pid
        if pid not in self.guests:
            # All processes of containers execute one program, from the store.
            if not EVERYBODY and not os.readlink(f"/proc/{pid}/exe").startswith(f"{STORE}/"):
                return
            self.guests.add(pid)
        registers = process.getregs()
        if registers.rax != NOT_YET:
            self.note(registers, self.inside.pop(pid, None))
            return
        name = SYSCALL_NAMES.get(registers.orig_rax, str(registers.orig_rax))
        found = []
        for register in PATHS.get(registers.orig_rax, ()):
            address = getattr(registers, register)
            if address:
                text = os.fsdecode(process.readCString(address, 4096)[0])
                found.append((name, text, registers.rip in RUNTIME))
        self.inside[pid] = found

    def note(self, registers: Any, entered: list[tuple[str, str, bool]] | None) -> None:
        if not entered:
            return
        # The kernel did not execute a call that trapped: rax still holds its number.
        trapped = not entered[0][2] and registers.rax == registers.orig_rax
        for row in [] if trapped else entered:
            os.write(3, json.dumps(row).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(Witness(sys.argv[1:]).run())

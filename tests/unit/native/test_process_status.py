# SPDX-License-Identifier: MIT
"""The status of a process is the kernel's, and a process lives as long as one of its threads."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from sandbox.native.process_status import parse_status, status_of

# The first thread ends, another waits for the end of the input.
HEADLESS = """
import ctypes, os, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0))).start()
print(flush=True)
ctypes.CDLL(None).syscall(60, 0)
"""


def test_the_status_of_a_process_is_the_kernels() -> None:
    found = status_of(os.getpid())
    assert found is not None
    assert (found.parent, found.state, found.has_ended) == (os.getppid(), "R", False)
    assert status_of(2**22 + 1) is None


def test_a_process_without_its_first_thread_has_not_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HEADLESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        found = status_of(child.pid)
        deadline = time.monotonic() + 10
        while found and found.state != "Z" and time.monotonic() < deadline:
            found = status_of(child.pid)
        assert found is not None
        assert (found.state, found.threads, found.has_ended) == ("Z", 2, False)


def test_a_process_that_nobody_waited_for_has_ended() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        found = status_of(child.pid)
        assert found is not None
        assert found.has_ended


@pytest.mark.parametrize("name", [b"sh", b"a) S 1 (b", b"", b") Z 1 2 3"])
def test_no_name_of_a_program_hides_the_status(name: bytes) -> None:
    line = b"7 (" + name + b") R 5 " + b" ".join(b"%d" % number for number in range(5, 53))
    found = parse_status(line)
    assert (found.parent, found.state, found.threads, found.start_time) == (5, "R", 20, 22)

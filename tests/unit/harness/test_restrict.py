# SPDX-License-Identifier: MIT
from __future__ import annotations

import subprocess
import sys

import pytest

from tests.harness import restrict

PROBE = """
import ctypes, os, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, args))
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]
"""


def under_filter(code: str) -> str:
    done = subprocess.run(
        [sys.executable, restrict.__file__, sys.executable, "-c", PROBE + code],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted({**restrict.X86_64, **restrict.UNIFIED}))
def test_mounts_and_namespaces_are_not_permitted(name: str) -> None:
    number = {**restrict.X86_64, **restrict.UNIFIED}[name]
    assert under_filter(f"print(call({number}, 0, 0, 0, 0))") == "EPERM"


def test_clone3_does_not_exist() -> None:
    assert under_filter("print(call(435, 0, 0))") == "ENOSYS"


def test_clone_with_a_new_user_namespace_is_not_permitted() -> None:
    assert under_filter("print(call(56, 0x10000000 | 17, 0, 0, 0, 0))") == "EPERM"


def test_threads_and_processes_still_start() -> None:
    code = """
import threading, subprocess
thread = threading.Thread(target=lambda: print("thread", end=" ", flush=True))
thread.start(); thread.join()
subprocess.run(["echo", "process"], check=True)
"""
    assert under_filter(code) == "thread process"


def test_programs_that_a_restricted_program_starts_inherit_the_filter() -> None:
    code = """
import subprocess
done = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True)
print(done.returncode)
"""
    assert under_filter(code) == "1"


def test_usage_is_printed_without_a_program() -> None:
    done = subprocess.run(
        [sys.executable, restrict.__file__], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage" in done.stderr


def test_the_script_only_needs_the_standard_library() -> None:
    done = subprocess.run([sys.executable, "-I", restrict.__file__, "true"], check=False, cwd="/")
    assert done.returncode == 0

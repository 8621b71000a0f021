# SPDX-License-Identifier: MIT
"""Calls that name no file, user or address go to the kernel directly.

strace prints the address of each call's instruction, and the addresses of the runtime are known.
So the test counts calls that the runtime passes on, and calls that raise SIGSYS first.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

TIMES = 500  # as in never_intercepted.c
CALLS = ("read", "write", "futex", "mmap", "munmap", "poll", "sched_yield")
RUNTIME = range(0x5670_0000_0000, 0x5680_0000_0000)  # SB_ADDR_RUNTIME, SB_ADDR_HIGH
CALL = re.compile(r"(\d+) +\[([0-9a-f]+)\] (\w+)\(")
SIGNAL = re.compile(r"(\d+) +\[[0-9a-f?]+\] --- SIGSYS ")


@pytest.mark.parametrize("interceptor", ["auto", "trap"])
def test_calls_without_a_path_or_an_id_are_never_intercepted(
    sandbox: Sandbox,
    guest_program: Callable[..., pathlib.Path],
    tmp_path: pathlib.Path,
    interceptor: str,
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    log = tmp_path / "log"
    words = ["run", "--rm", "--interceptor", interceptor]
    words += ["-v", f"{guest_program('never_intercepted')}:/guest:ro", "host", "/guest"]
    subprocess.run(
        [strace, "-f", "-i", "-o", str(log), *sandbox.argv(*words)],
        env=sandbox.environment(),
        check=True,
        timeout=100,
    )
    by_program: Counter[tuple[str, str]] = Counter()
    by_runtime: Counter[tuple[str, str]] = Counter()
    text = log.read_text(errors="replace")
    for pid, address, call in CALL.findall(text):
        counter = by_runtime if int(address, 16) in RUNTIME else by_program
        counter[pid, call] += 1
    [guest] = [pid for pid, call in by_program if by_program[pid, "sched_yield"] >= TIMES][:1]

    assert {call: by_program[guest, call] >= TIMES for call in CALLS} == dict.fromkeys(CALLS, True)
    few = TIMES // 10  # the start of a program makes some
    assert {c: by_runtime[guest, c] for c in CALLS if by_runtime[guest, c] > few} == {}
    assert SIGNAL.findall(text).count(guest) < few
    # The runtime's addresses are right, since the runtime opened the file.
    assert any(by_runtime[guest, call] for call in ("openat", "openat2"))

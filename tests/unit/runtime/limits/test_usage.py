# SPDX-License-Identifier: MIT
"""The memory that processes use."""

from __future__ import annotations

import mmap
import os
import pathlib
import subprocess
import sys

from sandbox.runtime.limits.usage import resident_bytes

SIZE = 32 << 20
SLACK = 4 << 20
# A process and its child share memory, and touch all of it; each prints a line when done.
SHARING = f"""
import mmap, os
shared = mmap.mmap(-1, {SIZE})
shared.write(b"x" * {SIZE})
child = os.fork()
for at in range(0, {SIZE}, mmap.PAGESIZE):
    shared[at]
os.write(1, b"%d\\n" % os.getpid())
os.read(0, 1)
"""


def test_memory_shared_by_processes_counts_once() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SHARING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(2)]
        one, both = resident_bytes(pids[:1]), resident_bytes(pids)
        process.communicate(b"..")
    assert one >= SIZE
    assert one < both < one + SIZE


def test_pages_of_files_do_not_count(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(SIZE))
    own = [os.getpid()]
    before = resident_bytes(own)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        for at in range(0, SIZE, mmap.PAGESIZE):
            assert mapped[at] == 0
        assert resident_bytes(own) < before + SLACK
        # Below *floor* the cheap sum is enough, and that includes pages of files.
        assert SIZE <= resident_bytes(own, floor=1 << 40) < 1 << 40


def test_a_process_that_ended_uses_no_memory() -> None:
    assert resident_bytes([]) == resident_bytes([2**22 + 1]) == 0

# SPDX-License-Identifier: MIT
"""Two system call sites that serve all cancellable calls of a C library: glibc since 2.41.

These sites are rewritten like any other. Calls that wait there are interrupted, restarted and
cancelled as they are natively.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from tests.harness.cbuild import BUILDS
from tests.harness.oracle import Oracle

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

ROUNDS = 200
# For each call: the traps of ld.so and libc in each process, until the site is rewritten.
FEW = 40
OPENS = f"""
import os, sys, threading, time
def opens():
    for _ in range({ROUNDS}):
        fd = os.open("/usr/bin/cat", os.O_RDONLY)
        assert os.read(fd, 4) == b"\\x7fELF"
        os.close(fd)
        time.sleep(1e-6)
opens()
if sys.argv[1] == "threads":
    thread = threading.Thread(target=opens)
    thread.start()
    thread.join()
print(os.confstr("CS_GNU_LIBC_VERSION"))
"""


def ways(sandbox: Sandbox, kind: str) -> dict[str, tuple[int, int]]:
    """Run OPENS; return for each call how often it was trapped, and how often rewritten."""
    command = ("python3", "-S", "-c", OPENS, kind)
    done = sandbox.call("trace", "-c", "--interceptor", "rewrite", "trixie", *command)
    assert done.returncode == 0, done.stderr.decode()
    version = done.stdout.decode().split()[1]
    assert tuple(map(int, version.split("."))) >= (2, 41)
    rows = [line for line in done.stderr.decode().splitlines() if line[:6].strip()[:1].isdigit()]
    columns = slice(47, 56), slice(57, 66)
    return {
        row.split()[-1]: (int(row[columns[0]].strip() or 0), int(row[columns[1]].strip() or 0))
        for row in rows
    }


def test_a_site_is_rewritten_while_its_process_with_one_thread_runs(
    trixie_image: Sandbox,
) -> None:
    trapped, rewritten = ways(trixie_image, "alone")["openat"]
    assert trapped < FEW
    assert rewritten >= ROUNDS - FEW


def test_a_site_that_threads_use_is_rewritten_in_the_next_container(trixie_image: Sandbox) -> None:
    ways(trixie_image, "threads")
    trapped, rewritten = ways(trixie_image, "threads")["openat"]
    assert trapped < FEW
    assert rewritten >= 2 * ROUNDS - FEW


@pytest.mark.parametrize("group", ["cancellation", "restarts", "jumps", "storm", "storm-alone"])
def test_calls_that_wait_at_a_rewritten_site_can_be_cancelled_and_interrupted(
    trixie_image: Sandbox, tmp_path: pathlib.Path, guest_program, group: str
) -> None:
    folders = tmp_path / "native" / "work", tmp_path / "inside" / "work"
    for folder in folders:
        folder.mkdir(parents=True)
    program = guest_program("interrupts", *BUILDS["dynamic"])
    oracle = Oracle(trixie_image, *folders, image="trixie")
    for _ in range(2):  # the second run uses what was learned in the first
        oracle.same([program, group], "-v", f"{program}:{program}:ro")

# SPDX-License-Identifier: MIT
"""The table of names has the kernel's numbers, and the runtime's own calls are known."""

from __future__ import annotations

import pathlib
import re
import subprocess

from sandbox.native.syscall_names import number_of

CSRC = pathlib.Path(__file__).resolve().parents[3] / "csrc"
HOSTED = {"hosted", "layers"}


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


def test_a_profile_lets_the_runtime_make_each_call_that_its_code_names() -> None:
    """Otherwise a profile that refuses such a call breaks the answers to others."""
    table = (CSRC / "syscalls.def").read_text()
    decided = set(re.findall(r"^(?:ON|REFUSE)\((\w+)", table, re.MULTILINE))
    own = (CSRC / "pure" / "profile.c").read_text().partition("own_calls[] = {")[2]
    listed = set(re.findall(r"__NR_(\w+)", own.partition("};")[0]))
    used = {
        name
        for path in CSRC.rglob("*.[chS]")
        if not HOSTED & set(path.parts)
        for name in re.findall(r"__NR_(\w+)", path.read_text())
    }
    assert listed == used - decided

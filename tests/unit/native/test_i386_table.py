# SPDX-License-Identifier: MIT
"""The table of 32-bit system calls decides every call, and in the same way as for 64 bits."""

from __future__ import annotations

import functools
import pathlib
import re
import subprocess
from dataclasses import dataclass

import pytest

CSRC = pathlib.Path(__file__).resolve().parents[3] / "csrc"
ROW = re.compile(r"^(NATIVE|PLAIN|CONVERT|REFUSE)\((\d+), (\w+)(?:, (\w+))?(?:, (\w+))?\)$")
KNOWN = 462
# Calls that are only trapped for 64-bit programs, for rewritten copies of their libraries.
TEXT_ONLY = {"mmap"}
# Calls that are only trapped so that what they duplicate stays known.
DUPLICATES = {"dup"}
# Calls of which the filter refuses one resource (seccomp_filter.c): the mark of a container.
LIMITS = {"getrlimit", "setrlimit", "prlimit64"}
# 32-bit programs that read a file again from the start get what it said first (on_lseek.c).
AGAIN = {"lseek"}
# The 32-bit call knows no base of fs or gs: the kernel takes them from 64-bit programs only.
WIDE = {"arch_prctl"}


@dataclass(frozen=True)
class Row:
    kind: str
    name: str
    detail: str | None


@functools.cache
def rows() -> dict[int, Row]:
    found: dict[int, Row] = {}
    for line in (CSRC / "arch" / "x86_64" / "pure" / "i386.def").read_text().splitlines():
        match = ROW.match(line)
        if match:
            number = int(match[2])
            assert number not in found, f"{number} has two rows"
            found[number] = Row(match[1], match[3], match[4])
        else:
            assert not re.match(r"^[A-Z]+\(", line), f"not understood: {line}"
    return found


def numbers_of_headers() -> dict[str, int]:
    done = subprocess.run(
        ["gcc", "-E", "-dM", "-include", "asm/unistd_32.h", "-x", "c", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    lines = re.findall(r"^#define __NR_(\w+) (\d+)$", done.stdout, re.MULTILINE)
    return {name: int(number) for name, number in lines}


@functools.cache
def decided_for_64() -> dict[str, str]:
    text = (CSRC / "syscalls.def").read_text()
    trapped = dict.fromkeys(re.findall(r"^ON\((\w+)\)", text, re.MULTILINE), "trapped")
    return trapped | dict(re.findall(r"^REFUSE\((\w+), (\w+)\)", text, re.MULTILINE))


@functools.cache
def name_for_64(name: str) -> str:
    """Return the name of the 64-bit call that does the same."""
    known = decided_for_64()
    for form in (
        name,
        re.sub(r"_time64$", "", name),
        re.sub(r"(32|64|2)$", "", name),
        {"umount": "umount2", "stime": "settimeofday"}.get(name, name),
    ):
        if form in known:
            return form
    return name


def test_every_number_of_the_headers_has_one_row_with_its_name() -> None:
    table = rows()
    headers = numbers_of_headers()
    assert len(headers) > 400
    for name, number in headers.items():
        if number <= KNOWN:
            assert table[number].name == name
    assert max(table) == KNOWN


@pytest.mark.parametrize("name", sorted(decided_for_64()))
def test_calls_that_are_intercepted_for_64_bits_are_not_native_for_32_bits(name: str) -> None:
    verdict = decided_for_64()[name]
    alike = [row for row in rows().values() if name_for_64(row.name) == name]
    for row in alike:
        if name in TEXT_ONLY | LIMITS | DUPLICATES | AGAIN | WIDE:
            continue
        assert row.kind != "NATIVE", f"{row.name} would bypass the runtime"
        if verdict != "trapped":
            assert (row.kind, row.detail) == ("REFUSE", verdict)


def test_no_native_call_takes_a_path_an_id_or_a_handler() -> None:
    native = {row.name for row in rows().values() if row.kind == "NATIVE"}
    words = "path stat chown uid gid dir link mount open exec clone fork sig socketcall"
    suspicious = {name for name in native if any(word in name for word in words.split())}
    # None of these calls takes a path, an id or a handler.
    harmless = {
        "setpgid",
        "getpgid",
        "getsid",
        "getpid",
        "getppid",
        "gettid",
        "mq_open",
        "cachestat",
    }
    harmless |= {"perf_event_open", "pidfd_open", "pidfd_send_signal", "mq_unlink"}
    harmless |= {"sigpending", "rt_sigpending", "sigaltstack"}
    harmless |= {"rt_sigqueueinfo", "rt_tgsigqueueinfo"}
    assert suspicious <= harmless

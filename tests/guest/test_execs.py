# SPDX-License-Identifier: MIT
"""execve starts programs as in the kernel, and refuses the same files."""

from __future__ import annotations

import os
import pathlib
import re
import struct
from typing import TYPE_CHECKING

import pytest

from tests.harness import oracle as oracles
from tests.harness.cbuild import BUILDS

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = (
    "arguments",
    "many-arguments",
    "auxiliary",
    "addresses",
    "refusals",
    "searches",
    "scripts",
    "chains",
    "at",
    "identity",
)
ELF_GROUPS = ("elf-headers", "elf-segments", "elf-fuzz")
PT_INTERP = 3


@pytest.mark.parametrize("group", GROUPS)
def test_execve_works_as_in_the_kernel(oracle: Oracle, guest_program, group: str) -> None:
    oracle.same([guest_program("execs", *BUILDS["static"]), group])


@pytest.mark.parametrize(
    "build", ["static-pie", "dynamic", "non-pie", "musl-static", "musl-dynamic"]
)
@pytest.mark.parametrize("group", ["auxiliary", "addresses", "identity", "at"])
def test_execve_starts_every_build_of_a_program(
    oracle: Oracle, guest_program, build: str, group: str
) -> None:
    oracle.same([guest_program("execs", *BUILDS[build]), group])


def interpreter(program: pathlib.Path) -> str:
    """Return the dynamic linker that an ELF file names."""
    data = program.read_bytes()
    offset, size, count = (
        *struct.unpack_from("<Q", data, 32),
        *struct.unpack_from("<HH", data, 54),
    )
    for i in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        if kind == PT_INTERP:
            return data[at : at + length].rstrip(b"\0").decode()
    raise AssertionError(f"{program} names no dynamic linker")


@pytest.mark.parametrize("build", ["dynamic", "musl-dynamic"])
def test_the_dynamic_linker_runs_a_program(oracle: Oracle, guest_program, build: str) -> None:
    program = guest_program("processes", *BUILDS[build])
    oracle.same([interpreter(program), program, "spawns"])
    oracle.same([interpreter(program), "/no/such/program"])


def tolerant(expected: oracles.Seen, actual: oracles.Seen) -> oracles.Seen:
    """Replace lines that may differ from the native ones by the native ones.

    Linux finds some faults of a file only after the old program is gone, and then kills the
    process. The sandbox may refuse such a file before, or print why the program cannot start.
    """
    lines = []
    right = expected.output.splitlines()
    found = [line for line in actual.output.splitlines() if not line.startswith("  ended")]
    for native, inside in zip(right, found, strict=False):
        may_differ = re.search(r": +ended with: signal ", native) and re.search(
            r": +ended with: signal |: +ended with: exit 126|: (ENOEXEC|EINVAL|ENOMEM)$", inside
        )
        lines.append(native if may_differ else inside)
    lines += found[len(right) :]
    return oracles.Seen(actual.status, "\n".join(lines), actual.errors)


@pytest.mark.parametrize(
    "build",
    [
        "static",
        pytest.param(
            "i386-static",
            marks=pytest.mark.skipif(
                os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace",
                reason="32-bit programs do not run beside a tracer",
            ),
        ),
    ],
)
@pytest.mark.parametrize("group", ELF_GROUPS)
def test_broken_elf_files_are_refused_or_killed(
    oracle: Oracle, guest_program, group: str, build: str
) -> None:
    program = guest_program("execs", *BUILDS[build])
    expected = oracles.native([program, group], oracle.native_folder)
    actual = oracle.inside([program, group])
    assert str(oracle.sandbox.store) not in actual.output + actual.errors
    oracle.compare(expected, tolerant(expected, actual))

# SPDX-License-Identifier: MIT
"""The C unit tests: each tests/c/test_*.c is a program that exits with 0 under sanitizers."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from tests.harness.cbuild import build_c_test

# The first test compiles the whole core while the other worker waits.
pytestmark = pytest.mark.timeout(800)
SOURCES = sorted(pathlib.Path(__file__).parent.glob("test_*.c"))
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_c_unit_passes_under_sanitizers(source: pathlib.Path, tmp_path) -> None:
    program = build_c_test(source)
    done = subprocess.run(
        [program, source.parent],
        cwd=tmp_path,
        env={**os.environ, **SANITIZER_OPTIONS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}"

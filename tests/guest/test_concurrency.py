# SPDX-License-Identifier: MIT
"""System calls give the same results under many threads and processes, limits and sanitizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.oracle import ENVIRONMENT

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest


@pytest.mark.parametrize("interceptor", ["auto", "trap"])
@pytest.mark.parametrize("group", ["sites", "threads", "forks", "limits", "mdwe"])
def test_many_threads_and_processes_get_the_same_results_as_on_the_host(
    oracle: Oracle, guest_program, group: str, interceptor: str
) -> None:
    oracle.same(
        [guest_program("concurrency", "gcc", "-pthread"), group], "--interceptor", interceptor
    )


@pytest.mark.parametrize("sanitizer", ["address", "thread", "undefined"])
@pytest.mark.parametrize("group", ["sites", "threads", "forks"])
def test_a_program_built_with_a_sanitizer_runs_with_many_threads(
    oracle: Oracle, guest_program, sanitizer: str, group: str
) -> None:
    program = guest_program("concurrency", "gcc", "-pthread", f"-fsanitize={sanitizer}")
    # LeakSanitizer needs ptrace, which is not available where the sandbox itself traces.
    oracle.same([program, group], env={**ENVIRONMENT, "ASAN_OPTIONS": "detect_leaks=0"})

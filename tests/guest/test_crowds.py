# SPDX-License-Identifier: MIT
"""Many threads and processes, tight limits and sanitizers change no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.oracle import ENVIRONMENT

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest


@pytest.mark.parametrize("interceptor", ["auto", "trap"])
@pytest.mark.parametrize("group", ["sites", "threads", "forks", "limits", "mdwe"])
def test_a_crowd_gets_the_answers_of_the_host(
    oracle: Oracle, guest_program, group: str, interceptor: str
) -> None:
    oracle.same([guest_program("crowds", "gcc", "-pthread"), group], "--interceptor", interceptor)


@pytest.mark.parametrize("sanitizer", ["address", "thread", "undefined"])
@pytest.mark.parametrize("group", ["sites", "threads", "forks"])
def test_a_program_with_a_sanitizer_runs_in_a_crowd(
    oracle: Oracle, guest_program, sanitizer: str, group: str
) -> None:
    program = guest_program("crowds", "gcc", "-pthread", f"-fsanitize={sanitizer}")
    # Finding leaks needs ptrace, which is taken where the sandbox uses it itself.
    oracle.same([program, group], env={**ENVIRONMENT, "ASAN_OPTIONS": "detect_leaks=0"})

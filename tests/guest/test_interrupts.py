# SPDX-License-Identifier: MIT
"""Calls that wait are interrupted, restarted, cancelled and left as in the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.cbuild import BUILDS

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest


@pytest.mark.parametrize("build", ["static", "musl-static", "dynamic"])
def test_a_signal_interrupts_or_restarts_what_waits(
    oracle: Oracle, guest_program, build: str
) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "restarts"])


@pytest.mark.parametrize("build", ["static", "musl-static", "musl-dynamic", "dynamic"])
def test_a_thread_is_cancelled_while_it_waits(oracle: Oracle, guest_program, build: str) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "cancellation"])


def test_a_handler_may_jump_out_of_any_call(oracle: Oracle, guest_program) -> None:
    oracle.same([guest_program("interrupts"), "jumps"])


@pytest.mark.parametrize("build", ["static", "musl-static"])
def test_calls_are_right_in_a_storm_of_signals(oracle: Oracle, guest_program, build: str) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "storm"])


@pytest.mark.parametrize("build", ["dynamic", "musl-static"])
def test_programs_start_in_a_storm_of_signals(oracle: Oracle, guest_program, build: str) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "storm-spawn"])

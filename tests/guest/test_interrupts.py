# SPDX-License-Identifier: MIT
"""Waiting calls are interrupted, restarted, cancelled and left by a jump as in the kernel."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import pytest

from tests.harness import images
from tests.harness.cbuild import BUILDS
from tests.harness.oracle import Oracle, native

pytestmark = pytest.mark.guest


@pytest.mark.parametrize("build", ["static", "musl-static", "dynamic"])
def test_a_signal_interrupts_or_restarts_a_waiting_call(
    oracle: Oracle, guest_program, build: str
) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "restarts"])


@pytest.mark.parametrize("build", ["static", "musl-static", "musl-dynamic", "dynamic"])
def test_a_thread_is_cancelled_while_it_waits(oracle: Oracle, guest_program, build: str) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "cancellation"])


def test_a_handler_may_jump_out_of_any_call(oracle: Oracle, guest_program) -> None:
    oracle.same([guest_program("interrupts"), "jumps"])


@pytest.mark.parametrize("build", ["static", "musl-static"])
def test_calls_give_right_results_in_a_storm_of_signals(
    oracle: Oracle, guest_program, build: str
) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "storm"])


@pytest.mark.parametrize("group", ["storm-alone", "storm-nested"])
@pytest.mark.parametrize("build", ["static", "musl-static"])
def test_a_thread_may_be_interrupted_very_often_at_the_same_calls(
    oracle: Oracle, guest_program, build: str, group: str
) -> None:
    """The second container of an image starts with call sites that the first one rewrote."""
    program = guest_program("interrupts", *BUILDS[build])
    members = [images.file("interrupts", program.read_bytes(), mode=0o755)]
    archive = images.docker_archive([[*members, images.directory("work")]], tags=["image:1"])
    oracle.sandbox.ok("load", stdin=archive)
    inside = replace(oracle, image="image:1", inside_folder=pathlib.Path("/work"))
    expected = native([program, group], oracle.native_folder)
    for _ in range(2):
        inside.compare(expected, inside.inside(["/interrupts", group]))


@pytest.mark.parametrize("build", ["dynamic", "musl-static"])
def test_programs_start_in_a_storm_of_signals(oracle: Oracle, guest_program, build: str) -> None:
    oracle.same([guest_program("interrupts", *BUILDS[build]), "storm-spawn"])

# SPDX-License-Identifier: MIT
"""Calls that wait with a signal mask of their own run the handler under it."""

from __future__ import annotations

import subprocess

import pytest

from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest


def test_a_wait_with_a_mask_runs_the_handler(sandbox: Sandbox, guest_program) -> None:
    program = guest_program("waits")
    native = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    assert native.stdout.count("handled 14") == 4
    output = sandbox.ok("run", "--rm", "-v", f"{program}:/waits:ro", "host", "/waits")
    assert output == native.stdout

# SPDX-License-Identifier: MIT
"""Calls that wait with their own signal mask run the handler under that mask."""

from __future__ import annotations

import subprocess

import pytest

from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest


def test_a_wait_with_its_own_mask_runs_the_handler(sandbox: Sandbox, guest_program) -> None:
    program = guest_program("wait_masks")
    native = subprocess.run([program], capture_output=True, text=True, timeout=100, check=True)
    assert native.stdout.count("handled 14") == 4
    output = sandbox.ok("run", "--rm", "-v", f"{program}:/wait_masks:ro", "host", "/wait_masks")
    assert output == native.stdout

# SPDX-License-Identifier: MIT
"""The modules that a supervisor loads."""

from __future__ import annotations

import subprocess
import sys


def test_a_supervisor_loads_no_large_modules() -> None:
    code = "import sys, sandbox.runtime.supervisor.main; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"dataclasses", "_hashlib", "tempfile", "subprocess", "asyncio", "logging", "tarfile"}
    assert not set(done.stdout.split()) & heavy

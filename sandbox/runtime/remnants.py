# SPDX-License-Identifier: MIT
"""End what is left of a container whose supervisor is gone."""

from __future__ import annotations

import errno

from sandbox.errors import NativeError
from sandbox.native import core
from sandbox.runtime import supervise
from sandbox.runtime.rundir import RunDir


def kill_guests(run_dir: str) -> None:
    """Kill every process of the container that runs, or ran, in *run_dir*."""
    control = RunDir(run_dir).control

    def processes() -> list[int]:
        try:
            return core.processes(control)
        except NativeError as exc:
            if exc.errno != errno.ENOENT:
                raise
            return []  # its supervisor has just cleaned up

    supervise.kill_all(processes)

# SPDX-License-Identifier: MIT
"""End what is left of a container whose supervisor is gone."""

from __future__ import annotations

from sandbox.runtime import cgroups, supervise
from sandbox.runtime.rundir import RunDir


def kill_guests(run_dir: str) -> None:
    """Kill every process of the container in this run directory; remove its cgroup."""
    try:
        supervise.kill_all(RunDir(run_dir).control)
    finally:
        cgroups.remove(run_dir)

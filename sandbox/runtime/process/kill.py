# SPDX-License-Identifier: MIT
"""Kill the remaining processes of a container whose supervisor is gone."""

from __future__ import annotations

from sandbox.runtime.limits import cgroups
from sandbox.runtime.process import reaper
from sandbox.runtime.rundir import RunDir


def kill_guests(run_dir: str) -> None:
    """Kill every process of the container in this run directory; remove its cgroup."""
    try:
        reaper.kill_all(RunDir(run_dir).control)
    finally:
        cgroups.remove(run_dir)

# SPDX-License-Identifier: MIT
"""The limits of containers, and who enforces them: a cgroup, the supervisor or the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import Conflict
from sandbox.runtime.limits import cgroup_plan, cgroups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.models.container import Container, ContainerConfig, ContainerState

APART = (
    "the limits of this container do not hold for this process: it cannot be moved to the "
    "container's cgroup from here"
)


def limits_by(container: Container) -> dict[str, str]:
    """Return who enforces each limit of a container, or would after a start from here."""
    if container.state.run_dir:
        return cgroup_plan.limits_by(cgroups.controllers_of(container.state.run_dir))
    return offered(cgroup_plan.wanted(container.config.policy))[1]


def offered(controllers: frozenset[str] = cgroup_plan.CONTROLLERS) -> tuple[str, dict[str, str]]:
    """Return the cgroup for containers, "" if there is none, and who enforces each limit."""
    found = cgroups.offered(controllers)
    if not found:
        return "", cgroup_plan.limits_by(())
    return found[0].path, cgroup_plan.limits_by(found[0].ready | found[0].more)


def check_change(
    config: ContainerConfig, state: ContainerState, changes: Mapping[str, Any]
) -> None:
    """Raise `Conflict` if the changed limits cannot be enforced on the running container."""
    held = cgroups.controllers_of(state.run_dir)
    before, after = config.policy.pids_limit, changes.get("pids_limit")
    if "pids" not in held and after is not None and bool(before) != bool(after):
        raise Conflict(
            "the limit of processes can be set or removed only while the container does not run"
        )
    if "cpuset" not in held and changes.get("cpuset", config.policy.cpuset) != config.policy.cpuset:
        raise Conflict("the CPUs can be chosen only while the container does not run")
    watched = {"memory": changes.get("memory"), "cpu": changes.get("cpus")}
    if not state.keeper and any(limit for name, limit in watched.items() if name not in held):
        raise Conflict(
            f"cannot limit {config.name}: it runs in the foreground of another command, without "
            "a supervisor"
        )


def apply(container: Container) -> None:
    """Enforce the policy of a running container that has no supervisor."""
    from sandbox.native import core
    from sandbox.runtime.limits import shown
    from sandbox.runtime.rundir import RunDir

    policy, run_dir = container.config.policy, container.state.run_dir
    cgroups.apply(policy, run_dir)
    shown.show(policy, RunDir(run_dir).control)
    if policy.pids_limit and "pids" not in cgroups.controllers_of(run_dir):
        core.limit_pids(RunDir(run_dir).control, policy.pids_limit)

# SPDX-License-Identifier: MIT
"""What a container's programs see of its limits: in files, and from the kernel's calls.

How it works: the numbers go into the control file, from which the runtime in the guest answers.
The files of the container's cgroup are names without content in a directory of the store.

Does not know: what enforces the limits.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from sandbox.native import core
from sandbox.runtime.limits.cgroup_plan import PERIOD
from sandbox.runtime.limits.usage import parse_cpus

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sandbox.models.policy import Policy
    from sandbox.store.layout import Layout

CGROUP_FILES = (
    "cgroup.controllers",
    "cgroup.events",
    "cgroup.freeze",
    "cgroup.max.depth",
    "cgroup.max.descendants",
    "cgroup.subtree_control",
    "cgroup.type",
    "cpu.max",
    "cpu.weight",
    "cpu.weight.nice",
    "cpuset.cpus",
    "cpuset.cpus.effective",
    "cpuset.mems",
    "cpuset.mems.effective",
    "memory.current",
    "memory.high",
    "memory.low",
    "memory.max",
    "memory.min",
    "memory.oom.group",
    "memory.stat",
    "memory.swap.current",
    "memory.swap.max",
    "pids.current",
    "pids.max",
)
_FOLDER = "cgroup-files"


def cgroup_folder(layout: Layout) -> str:
    """Return the directory with the names of a cgroup's files; make it if it is not complete."""
    folder = os.path.join(layout.root, _FOLDER)
    last = os.path.join(folder, CGROUP_FILES[-1])
    if not os.path.exists(last):
        os.makedirs(folder, exist_ok=True)
        for name in CGROUP_FILES:
            os.close(os.open(os.path.join(folder, name), os.O_CREAT | os.O_CLOEXEC, 0o644))
    return folder


def seen_cpus(policy: Policy, allowed: AbstractSet[int]) -> frozenset[int]:
    """Return the CPUs that programs see, of those that this user may use; empty for all.

    A limit of 1.5 CPUs shows two, as a program would start two threads.

    >>> from sandbox.models.policy import Policy
    >>> sorted(seen_cpus(Policy(cpus=1.5), {0, 1, 2, 3})), sorted(seen_cpus(Policy(), {0, 1}))
    ([0, 1], [])
    >>> sorted(seen_cpus(Policy(cpuset="1-3", cpus=2), {0, 1, 2, 3}))
    [1, 2]
    """
    chosen = parse_cpus(policy.cpuset) & allowed if policy.cpuset else allowed
    count = math.ceil(policy.cpus) if policy.cpus else len(chosen)
    if not policy.cpuset and count >= len(chosen):
        return frozenset()
    return frozenset(sorted(chosen)[:count])


def show(policy: Policy, control: str) -> None:
    """Write what programs see into the control file of a container."""
    core.show_limits(
        control,
        memory=policy.memory,
        cpus=seen_cpus(policy, os.sched_getaffinity(0)),
        quota=round(policy.cpus * PERIOD),
        pids=policy.pids_limit,
    )

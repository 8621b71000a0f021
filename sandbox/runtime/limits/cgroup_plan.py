# SPDX-License-Identifier: MIT
"""Plan the cgroup (version 2) of a container: where it can lie, and its settings.

How it works: among this process's cgroup and those above it, find the ones whose directory,
``cgroup.procs`` and ``cgroup.subtree_control`` this user may write. The kernel demands this
from a process that makes a cgroup below and moves processes into it
(Documentation/admin-guide/cgroup-v2.rst, "Delegation").

Rules: no function changes a cgroup. A controller is enabled only where no process prevents
it, and only for a requested limit.

Does not know: processes, or how limits hold without such a cgroup.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandbox.models.policy import Policy

PERIOD = 100_000  # microseconds, Docker's

# Field of HostConfig -> controller, and what enforces the limit without it.
LIMITS = {
    "Memory": ("memory", "supervisor"),
    "NanoCpus": ("cpu", "supervisor"),
    "PidsLimit": ("pids", "runtime"),
    "CpusetCpus": ("cpuset", "affinity"),
}
CONTROLLERS = frozenset(controller for controller, _ in LIMITS.values())


class Offer(Record, frozen=True):
    """A cgroup below which one can be made, and the controllers of the new one.

    The controllers in *more* must be enabled first.
    """

    path: str
    ready: frozenset[str]
    more: frozenset[str] = frozenset()


class Own(Record, frozen=True):
    """The cgroup of a process: its directory, below the mount point."""

    mount: str
    path: str


def locate(cgroup: str, mountinfo: str) -> Own | None:
    """Return the cgroup of a process from the texts of its /proc/PID/cgroup and mountinfo.

    None: the process is in no visible cgroup of version 2.
    """
    paths = [line[3:] for line in cgroup.splitlines() if line.startswith("0::/")]
    for line in mountinfo.splitlines() if paths else ():
        fields = line.split(" ")
        if fields[fields.index("-") + 1] != "cgroup2":
            continue
        root, mount = _plain(fields[3]), _plain(fields[4])
        inner = os.path.relpath(paths[0], root)
        # The cgroup lies above the root of the namespace, or outside the mount.
        if ".." not in inner.split("/") and ".." not in paths[0].split("/"):
            return Own(mount, os.path.normpath(f"{mount}/{inner}"))
    return None


def _plain(text: str) -> str:
    """Undo the escapes of mountinfo."""
    if "\\" not in text:
        return text
    import re

    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def offers(own: Own) -> list[Offer]:
    """Return the cgroups below which one can be made, nearest first."""
    found = []
    path = own.path
    while path == own.mount or path.startswith(f"{own.mount}/"):
        offer = _offer(path)
        if offer is not None:
            found.append(offer)
        path = os.path.dirname(path)
    return found


def _offer(path: str) -> Offer | None:
    files = [f"{path}/cgroup.procs", f"{path}/cgroup.subtree_control"]
    if not os.access(path, os.W_OK | os.X_OK) or not all(os.access(f, os.W_OK) for f in files):
        return None
    ready = words_of(f"{path}/cgroup.subtree_control") & CONTROLLERS
    more = words_of(f"{path}/cgroup.controllers") & CONTROLLERS - ready
    offer = Offer(path, ready, frozenset() if words_of(files[0]) else more)
    return offer if offer.ready or offer.more else None


def words_of(path: str) -> frozenset[str]:
    """Return the words of a file; no word if it cannot be read."""
    try:
        with open(path, encoding="ascii") as file:
            return frozenset(file.read().split())
    except OSError:
        return frozenset()


def wanted(policy: Policy) -> frozenset[str]:
    """Return the controllers that could enforce a container's limits."""
    limits = {
        "memory": policy.memory,
        "cpu": policy.cpus,
        "pids": policy.pids_limit,
        "cpuset": policy.cpuset,
    }
    return frozenset(name for name, limit in limits.items() if limit)


def ranked(found: Iterable[Offer], controllers: frozenset[str]) -> list[Offer]:
    """Return the offers with at least one of *controllers*: most first, then nearest."""
    useful = [offer for offer in found if controllers & (offer.ready | offer.more)]
    return sorted(useful, key=lambda offer: -len(controllers & (offer.ready | offer.more)))


def settings(policy: Policy, controllers: Collection[str]) -> list[tuple[str, str]]:
    """Return (file, text) for a cgroup that has *controllers*.

    The swap limit equals the memory limit, which is Docker's default.

    >>> from sandbox.models.policy import Policy
    >>> settings(Policy(memory=1 << 20, cpus=0.5), {"memory", "cpu", "pids"})[:2]
    [('memory.max', '1048576'), ('memory.swap.max', '1048576')]
    >>> settings(Policy(cpus=0.5), {"cpu", "pids"})
    [('pids.max', 'max'), ('cpu.max', '50000 100000')]
    """
    found = []
    if "memory" in controllers:
        memory = str(policy.memory or "max")
        found += [("memory.max", memory), ("memory.swap.max", memory), ("memory.oom.group", "1")]
    if "pids" in controllers:
        found.append(("pids.max", str(policy.pids_limit or "max")))
    if "cpu" in controllers:
        quota = round(policy.cpus * PERIOD) or "max"
        found.append(("cpu.max", f"{quota} {PERIOD}"))
    if "cpuset" in controllers and policy.cpuset:
        found.append(("cpuset.cpus", policy.cpuset))
    return found


def limits_by(controllers: Collection[str]) -> dict[str, str]:
    """Return what enforces each limit of a container whose cgroup has *controllers*.

    >>> limits_by({"cpu"})["NanoCpus"], limits_by({"cpu"})["PidsLimit"]
    ('cgroup', 'runtime')
    """
    return {
        field: "cgroup" if controller in controllers else otherwise
        for field, (controller, otherwise) in LIMITS.items()
    }

# SPDX-License-Identifier: MIT
"""The cgroup of one run of a container, where the machine allows one.

How it works: before the main process runs, the cgroup is made below a cgroup that was
delegated to this user (`cgroup_plan` finds it). A link in the run directory leads exec,
stats and the cleanup after a killed supervisor to it. Processes move into it before they
execute; their children start there.

Rules: a trial shows whether processes can move. If they cannot, the run has no cgroup, and
the limits hold as on a machine without cgroups.

Does not know: what the limits mean.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed
from sandbox.models.record import Record
from sandbox.runtime.limits import cgroup_plan
from sandbox.runtime.rundir import RunDir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.models.policy import Policy
    from sandbox.runtime.limits.cgroup_plan import Offer, Own

_PREFIX = "sandbox-"
_OPTIONAL = frozenset({"memory.swap.max"})  # absent on a kernel without swap
_END_TIME = 5.0  # seconds to wait until killed processes are gone


class Use(Record, frozen=True):
    """What the processes of a cgroup use, in seconds and bytes; None where it is unknown."""

    cpu: float | None
    memory: int | None
    tasks: int | None


def own() -> Own | None:
    """Return the cgroup of this process."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as file:
            cgroup = file.read()
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return cgroup_plan.locate(cgroup, file.read())
    except OSError:
        return None


def offered(controllers: frozenset[str]) -> list[Offer]:
    """Return the cgroups that offer some of *controllers* to this process, best first."""
    place = own() if controllers else None
    return cgroup_plan.ranked(cgroup_plan.offers(place), controllers) if place else []


@contextmanager
def made(policy: Policy, container_id: str, run_dir: RunDir) -> Iterator[frozenset[str]]:
    """Make the cgroup of a run and remove it after the block; give its controllers, if any."""
    controllers = cgroup_plan.wanted(policy)
    for offer in offered(controllers):
        path = f"{offer.path}/{_PREFIX}{container_id[:12]}"
        try:
            _make(path, offer, controllers)
            os.symlink(path, run_dir.cgroup)
            _write_all(path, policy)
            _try_to_enter(path)
            break
        except OSError:
            _remove(path)
            with suppress(FileNotFoundError):
                os.unlink(run_dir.cgroup)
    try:
        yield controllers_of(run_dir.path)
    finally:
        remove(run_dir.path)


def _make(path: str, offer: Offer, controllers: frozenset[str]) -> None:
    for name in sorted(offer.more & controllers):
        _write(f"{offer.path}/cgroup.subtree_control", f"+{name}")
    try:
        os.mkdir(path)
    except FileExistsError:  # left by a run that was killed together with its directory
        _remove(path)
        os.mkdir(path)


def _try_to_enter(path: str) -> None:
    """Raise `OSError` unless a child of this process can move there."""
    pid = os.fork()
    if pid == 0:
        try:
            _write(f"{path}/cgroup.procs", "0")
        except BaseException:  # noqa: BLE001 - a forked child must not continue as its parent
            os._exit(1)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError


def apply(policy: Policy, run_dir: str) -> None:
    """Change those limits that the run's cgroup enforces; raises `RuntimeFailed`."""
    path = _path(run_dir)
    if path is not None:
        try:
            _write_all(path, policy)
        except OSError as exc:
            raise RuntimeFailed(f"cannot change the limits of the cgroup {path}: {exc}") from exc


def _write_all(path: str, policy: Policy) -> None:
    for name, text in cgroup_plan.settings(policy, _controllers(path)):
        if name not in _OPTIONAL or os.path.exists(f"{path}/{name}"):
            _write(f"{path}/{name}", text)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def controllers_of(run_dir: str) -> frozenset[str]:
    """Return the controllers of a run's cgroup; empty without one."""
    path = _path(run_dir)
    return _controllers(path) if path is not None else frozenset()


def _controllers(path: str) -> frozenset[str]:
    return cgroup_plan.words_of(f"{path}/cgroup.controllers") & cgroup_plan.CONTROLLERS


def _path(run_dir: str) -> str | None:
    try:
        return os.readlink(RunDir(run_dir).cgroup)
    except OSError:
        return None


def entrance(run_dir: str) -> str | None:
    """Return the cgroup into which a child of this process moves, or None.

    The kernel lets no user move processes out of a cgroup that is not delegated to them, such
    as that of another login. The limits do not hold for such a child (`is_out_of_reach`).
    """
    path = _path(run_dir)
    if path is None or is_out_of_reach(run_dir):
        return None
    if _is_full(path):
        raise RuntimeFailed("cannot start the process: too many processes (--pids-limit)")
    return path


def _is_full(path: str) -> bool:
    """Tell whether a fork there would fail; the kernel does not refuse a move."""
    limit, used = _number(path, "pids.max"), _number(path, "pids.current")
    return limit is not None and used is not None and used >= limit


def is_out_of_reach(run_dir: str) -> bool:
    """Tell whether the run has a cgroup to which no child of this process can move."""
    path = _path(run_dir)
    if path is None:
        return False
    place = own()
    if place is None or not path.startswith(f"{place.mount}/"):
        return True
    shared = os.path.commonpath([place.path, path])
    return not os.access(f"{shared}/cgroup.procs", os.W_OK)


def enter(entrance: str, pid: int) -> None:
    """Move a process with one thread."""
    try:
        _write(f"{entrance}/cgroup.procs", str(pid))
    except FileNotFoundError:
        raise RuntimeFailed("the container has just ended") from None
    except OSError as exc:
        raise RuntimeFailed(f"cannot move a process to the cgroup {entrance}: {exc}") from exc


def was_out_of_memory(run_dir: str) -> bool:
    """Tell whether the kernel killed processes of the run because memory ran out."""
    path = _path(run_dir)
    return path is not None and _fields(path, "memory.events").get("oom_kill", 0) > 0


def use_of(run_dir: str) -> Use:
    """Return what a run uses now; inactive pages of files do not count."""
    path = _path(run_dir)
    if path is None:
        return Use(None, None, None)
    spent = _fields(path, "cpu.stat").get("usage_usec")
    memory = _number(path, "memory.current")
    if memory is not None:
        memory = max(0, memory - _fields(path, "memory.stat").get("inactive_file", 0))
    cpu = None if spent is None else spent / 1e6
    return Use(cpu, memory, _number(path, "pids.current"))


def _fields(path: str, name: str) -> dict[str, int]:
    """Return the numbers of a file with a name and a number on each line."""
    try:
        with open(f"{path}/{name}", encoding="ascii") as file:
            return {key: int(value) for key, value in map(str.split, file)}
    except (OSError, ValueError):
        return {}


def _number(path: str, name: str) -> int | None:
    try:
        with open(f"{path}/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):  # or "max"
        return None


def remove(run_dir: str) -> None:
    """Kill every process of a run's cgroup, and remove the cgroup."""
    path = _path(run_dir)
    if path is not None:
        _remove(path)


def _remove(path: str) -> None:
    if not os.path.basename(path).startswith(_PREFIX) or not os.path.isdir(path):
        return
    with suppress(OSError):  # older kernels lack cgroup.kill; the caller killed them one by one
        _write(f"{path}/cgroup.kill", "1")
    deadline = time.monotonic() + _END_TIME
    while not _gone(path) and time.monotonic() < deadline:
        time.sleep(0.001)


def _gone(path: str) -> bool:
    """Remove a cgroup and the cgroups inside it, if they are empty."""
    for folder, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)
    return not os.path.isdir(path)

# SPDX-License-Identifier: MIT
"""Changes of limits on a running container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.engine.containers import limits
from sandbox.errors import Conflict
from sandbox.models.container import ContainerState
from sandbox.models.policy import Policy
from tests.unit.engine.boxes import config

if TYPE_CHECKING:
    from collections.abc import Mapping

ALONE = ContainerState("running", pid=7, run_dir="/run/box")
SUPERVISED = ContainerState("running", pid=7, run_dir="/run/box", keeper=8)


def check(changes: Mapping[str, Any], state: ContainerState, **policy: Any) -> None:
    limits.check_change(config(policy=Policy(**policy)), state, changes)


@pytest.fixture(autouse=True)
def controllers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    found: set[str] = set()
    monkeypatch.setattr(limits.cgroups, "controllers_of", lambda _: frozenset(found))
    return found


def test_the_limit_of_processes_is_neither_set_nor_removed_without_a_cgroup(
    controllers: set[str],
) -> None:
    check({"pids_limit": 20}, SUPERVISED, pids_limit=10)
    for before, after in ((0, 10), (10, 0)):
        with pytest.raises(
            Conflict, match="the limit of processes can be set or removed only while"
        ):
            check({"pids_limit": after}, SUPERVISED, pids_limit=before)
    controllers.add("pids")
    check({"pids_limit": 10}, SUPERVISED)


def test_cpus_are_chosen_with_a_cgroup_only(controllers: set[str]) -> None:
    check({"cpuset": "0"}, SUPERVISED, cpuset="0")
    with pytest.raises(Conflict, match="the CPUs can be chosen only while"):
        check({"cpuset": "1"}, SUPERVISED, cpuset="0")
    controllers.add("cpuset")
    check({"cpuset": "1"}, SUPERVISED, cpuset="0")


@pytest.mark.parametrize("changes", [{"memory": 1 << 30}, {"cpus": 1.5}])
def test_memory_and_cpu_need_a_supervisor_or_a_cgroup(
    changes: dict[str, Any], controllers: set[str]
) -> None:
    check(changes, SUPERVISED)
    with pytest.raises(Conflict, match="cannot limit web"):
        check(changes, ALONE)
    controllers.update({"memory", "cpu"})
    check(changes, ALONE)

# SPDX-License-Identifier: MIT
"""Which cgroup a container would get, on made trees."""

from __future__ import annotations

import pathlib

import pytest

from sandbox.models.policy import Policy
from sandbox.runtime.limits import cgroup_plan
from sandbox.runtime.limits.cgroup_plan import CONTROLLERS, Offer, Own

HYBRID = """\
9:name=systemd:/
4:memory:/other/place
0::/user.slice/user@7.service/app.slice/term.scope
"""

MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw
"""


def test_the_cgroup_is_found_if_both_versions_are_mounted() -> None:
    found = cgroup_plan.locate(HYBRID, MOUNTS)
    path = "/sys/fs/cgroup/unified/user.slice/user@7.service/app.slice/term.scope"
    assert found == Own("/sys/fs/cgroup/unified", path)


def test_the_cgroup_is_found_if_only_a_part_is_mounted() -> None:
    mounts = r"41 31 0:38 /user.slice /mnt/c\040g rw - cgroup2 cgroup2 rw"
    found = cgroup_plan.locate(HYBRID, mounts)
    assert found == Own("/mnt/c g", "/mnt/c g/user@7.service/app.slice/term.scope")


@pytest.mark.parametrize(
    ("cgroup", "mounts"),
    [
        ("4:memory:/x\n", MOUNTS),
        ("0::/../other\n", MOUNTS),
        ("0::/there\n", "41 31 0:38 /elsewhere /sys/fs/cgroup rw - cgroup2 cgroup2 rw"),
        ("0::/\n", "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755"),
    ],
    ids=["version 1", "outside the namespace", "outside the mount", "not mounted"],
)
def test_without_cgroup_version_2_no_cgroup_is_found(cgroup: str, mounts: str) -> None:
    assert cgroup_plan.locate(cgroup, mounts) is None


def made_cgroup(
    path: pathlib.Path, *, has: str = "", gives: str = "", procs: str = "", mode: int = 0o755
) -> pathlib.Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.controllers").write_text(f"{has}\n")
    (path / "cgroup.subtree_control").write_text(f"{gives}\n")
    (path / "cgroup.procs").write_text(procs)
    path.chmod(mode)
    return path


def test_the_nearest_cgroup_with_controllers_comes_first(tmp_path: pathlib.Path) -> None:
    top = made_cgroup(tmp_path / "top", has="cpu io memory pids", gives="cpu memory pids")
    middle = made_cgroup(top / "middle", has="cpu memory pids", gives="pids", procs="")
    leaf = made_cgroup(middle / "leaf", has="pids", procs="12\n")
    found = cgroup_plan.offers(Own(str(top), str(leaf)))
    assert [offer.path for offer in found] == [str(middle), str(top)]
    assert found[0] == Offer(str(middle), frozenset({"pids"}), frozenset({"cpu", "memory"}))
    assert found[1].ready == {"cpu", "memory", "pids"}


def test_no_controller_is_enabled_in_a_cgroup_with_processes(tmp_path: pathlib.Path) -> None:
    top = made_cgroup(tmp_path / "top", has="cpu memory", gives="memory", procs="7\n8\n")
    leaf = made_cgroup(top / "leaf", has="memory", procs="12\n")
    assert cgroup_plan.offers(Own(str(top), str(leaf))) == [
        Offer(str(top), frozenset({"memory"}), frozenset())
    ]


@pytest.mark.parametrize("spoilt", ["", "cgroup.procs", "cgroup.subtree_control"])
def test_a_cgroup_of_another_user_is_not_offered(tmp_path: pathlib.Path, spoilt: str) -> None:
    top = made_cgroup(tmp_path / "top", has="pids", gives="pids")
    (top / spoilt).chmod(0o555 if not spoilt else 0o444)
    try:
        assert cgroup_plan.offers(Own(str(top), str(top))) == []
    finally:
        top.chmod(0o755)


def test_the_cgroup_with_most_of_the_wanted_controllers_comes_first() -> None:
    near = Offer("/a/b", frozenset({"pids"}))
    far = Offer("/a", frozenset({"pids"}), frozenset({"memory"}))
    both = frozenset({"pids", "memory"})
    assert cgroup_plan.ranked([near, far], both) == [far, near]
    assert cgroup_plan.ranked([near, far], frozenset({"pids"})) == [near, far]
    assert cgroup_plan.ranked([near, far], frozenset({"cpu"})) == []


def test_only_limits_that_are_set_need_a_controller() -> None:
    assert cgroup_plan.wanted(Policy()) == frozenset()
    policy = Policy(memory=1, cpus=0.5, pids_limit=9, cpuset="0")
    assert cgroup_plan.wanted(policy) == CONTROLLERS


def test_limits_are_written_in_the_kernel_s_format() -> None:
    policy = Policy(memory=64 << 20, cpus=1.5, pids_limit=9, cpuset="0-1")
    assert dict(cgroup_plan.settings(policy, CONTROLLERS)) == {
        "memory.max": "67108864",
        "memory.swap.max": "67108864",
        "memory.oom.group": "1",
        "pids.max": "9",
        "cpu.max": "150000 100000",
        "cpuset.cpus": "0-1",
    }
    lifted = dict(cgroup_plan.settings(Policy(), CONTROLLERS))
    assert (lifted["memory.max"], lifted["pids.max"], lifted["cpu.max"]) == (
        "max",
        "max",
        "max 100000",
    )

# SPDX-License-Identifier: MIT
"""What programs see of limits."""

from __future__ import annotations

import pathlib

from sandbox.models.policy import Policy
from sandbox.runtime.limits import shown
from sandbox.store.layout import Layout

ALL = frozenset(range(4))


def test_without_a_limit_all_cpus_are_seen() -> None:
    assert shown.seen_cpus(Policy(), ALL) == frozenset()
    assert shown.seen_cpus(Policy(cpus=4), ALL) == frozenset()
    assert shown.seen_cpus(Policy(cpus=100), ALL) == frozenset()


def test_a_part_of_a_cpu_is_seen_as_one() -> None:
    assert shown.seen_cpus(Policy(cpus=0.1), ALL) == {0}
    assert shown.seen_cpus(Policy(cpus=2.5), ALL) == {0, 1, 2}


def test_chosen_cpus_keep_their_numbers() -> None:
    assert shown.seen_cpus(Policy(cpuset="2,3"), ALL) == {2, 3}
    assert shown.seen_cpus(Policy(cpuset="0-3"), ALL) == ALL
    assert shown.seen_cpus(Policy(cpuset="1-3", cpus=1), ALL) == {1}
    assert shown.seen_cpus(Policy(cpuset="3-9"), ALL) == {3}


def test_the_names_of_a_cgroup_are_made_once(tmp_path: pathlib.Path) -> None:
    folder = pathlib.Path(shown.cgroup_folder(Layout(tmp_path)))
    assert {path.name for path in folder.iterdir()} == set(shown.CGROUP_FILES)
    (folder / "cpu.max").unlink()
    (folder / "pids.max").unlink()
    assert shown.cgroup_folder(Layout(tmp_path)) == str(folder)
    assert {path.name for path in folder.iterdir()} == set(shown.CGROUP_FILES)

# SPDX-License-Identifier: MIT
"""The flags about restarts, logs, health and limits."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cli.containers.lifecycle_flags import check_cpus, policy_of, share_of
from sandbox.errors import UsageError
from sandbox.models.policy import SECOND, Health, Policy

NONE: dict[str, Any] = {
    "restart": "no", "rm": False, "log_opt": (), "log_driver": "json-file", "stop_timeout": None,
    "memory": None, "cpus": None, "cpu_quota": None, "cpu_period": None, "pids_limit": None,
    "cpuset_cpus": None, "no_healthcheck": False, "health_cmd": None, "health_interval": None,
    "health_timeout": None, "health_start_period": None, "health_start_interval": None,
    "health_retries": None,
}  # fmt: skip


def policy(**options: Any) -> Policy:
    return policy_of(NONE | options, detached=True)


def test_without_flags_a_policy_asks_for_nothing() -> None:
    assert policy() == Policy(stdin_once=False)


def test_each_flag_has_its_field() -> None:
    found = policy(
        restart="on-failure:3", log_opt=("max-size=1k", "max-file=2"), stop_timeout=0, memory="64m",
        cpus=0.5, pids_limit=-1, cpuset_cpus="0",
    )  # fmt: skip
    assert (found.restart, found.restart_max) == ("on-failure", 3)
    assert (found.log_max_size, found.log_max_file, found.stop_timeout) == (1024, 2, 0)
    assert (found.memory, found.cpus, found.pids_limit, found.cpuset) == (64 << 20, 0.5, 0, "0")


@pytest.mark.parametrize(
    ("options", "health"),
    [
        ({"health_cmd": "curl x"}, Health(test=("CMD-SHELL", "curl x"))),
        ({"health_interval": "1m"}, Health(test=(), interval=60 * SECOND)),
        ({"no_healthcheck": True}, Health(test=("NONE",))),
        ({}, None),
    ],
)
def test_a_health_check_is_new_or_changes_the_images(
    options: dict[str, Any], health: Health | None
) -> None:
    assert policy(**options).health == health


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rm": True, "restart": "always"}, "both --restart and --rm"),
        ({"log_opt": ("max-size",)}, "expected KEY=VALUE"),
        ({"health_interval": "1us"}, "--health-interval cannot be less than 1ms"),
        ({"health_retries": -1}, "cannot be negative"),
        ({"no_healthcheck": True, "health_cmd": "x"}, "--no-healthcheck conflicts"),
        ({"cpus": 1.0, "cpu_quota": 1}, "conflicting options"),
        ({"cpu_period": 10}, "period can not be less"),
        ({"cpu_quota": 10}, "quota can not be less"),
        ({"cpus": 100000.0}, "range of CPUs"),
        ({"cpuset_cpus": "x"}, "invalid value x for cpuset"),
    ],
)
def test_flags_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        policy(**options)


def test_a_share_of_time_can_be_written_in_two_ways() -> None:
    assert (
        share_of(0.5, None, None) == share_of(None, 50_000, None) == share_of(None, 5_000, 10_000)
    )
    assert share_of(None, -1, None) == 0.0
    assert check_cpus("0-1,3") == "0-1,3"

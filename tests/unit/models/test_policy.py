# SPDX-License-Identifier: MIT
"""Restart policies, health checks, limits and logging of containers."""

from __future__ import annotations

import json

import pytest

from sandbox.errors import UsageError
from sandbox.models.policy import (
    SECOND,
    Health,
    Policy,
    parse_bytes,
    parse_duration,
    parse_log_options,
    parse_memory,
    parse_restart,
)


def test_a_policy_is_read_back_from_json() -> None:
    policy = Policy(
        restart="on-failure", restart_max=3, health=Health(test=("CMD", "x"), retries=2), cpus=0.5
    )
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_records_of_older_and_newer_versions_are_read() -> None:
    assert Policy.from_json({}) == Policy()
    assert Policy.from_json({"memory": 5, "unheard": 1}) == Policy(memory=5)


@pytest.mark.parametrize(
    ("test", "argv"),
    [
        ((), ()),
        (("NONE",), ()),
        (("CMD", "a", "b"), ("a", "b")),
        (("CMD-SHELL", "a b"), ("/bin/sh", "-c", "a b")),
    ],
)
def test_a_health_check_is_a_command_or_a_shell_command(
    test: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    assert Health(test=test).argv == argv


@pytest.mark.parametrize("text", ["never", "always:3", "on-failure:x", "on-failure:-1", "no:1"])
def test_an_unknown_restart_policy_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid restart policy"):
        parse_restart(text)


def test_the_default_restart_policy_is_no() -> None:
    assert parse_restart("") == ("no", 0)
    assert parse_restart("unless-stopped") == ("unless-stopped", 0)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("7", 7),
        ("7b", 7),
        ("1kb", 1024),
        ("1KiB", 1024),
        (" 2m ", 2 << 20),
        ("1p", 1 << 50),
    ],
)
def test_sizes_are_parsed_as_by_docker(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "1x", "1 m 2", "1mm", "nan", "inf"])
def test_an_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid size"):
        parse_bytes(text)


def test_less_memory_than_docker_allows_is_refused() -> None:
    assert parse_memory("6m") == 6 << 20
    with pytest.raises(UsageError, match="Minimum memory"):
        parse_memory("5m")


@pytest.mark.parametrize(
    ("text", "nanoseconds"), [("0", 0), ("1h", 3600 * SECOND), ("1.5s", 3 * SECOND // 2)]
)
def test_durations_are_parsed_as_by_go(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "1", "s", "1s ", "-1s", "1y"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid duration"):
        parse_duration(text)


def test_log_options_give_size_and_number_of_files() -> None:
    options = {"max-size": "10m", "max-file": "3"}
    assert parse_log_options("json-file", options) == ("json-file", 10 << 20, 3)
    assert parse_log_options("none", {}) == ("none", 0, 1)


@pytest.mark.parametrize(
    ("driver", "options", "words"),
    [
        ("syslog", {}, "no log driver named 'syslog'"),
        ("json-file", {"tag": "x"}, "unknown log opt 'tag'"),
        ("none", {"max-size": "1m"}, "unknown log opt 'max-size'"),
        ("json-file", {"max-file": "0"}, "max-file cannot be less than 1"),
    ],
)
def test_unknown_log_drivers_and_options_are_refused(
    driver: str, options: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        parse_log_options(driver, options)

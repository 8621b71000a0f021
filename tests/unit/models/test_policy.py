# SPDX-License-Identifier: MIT
"""What the user decided about a container's life."""

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


def test_a_policy_is_the_same_after_it_was_stored() -> None:
    policy = Policy(
        restart="on-failure", restart_max=3, health=Health(test=("CMD", "x"), retries=2), cpus=0.5
    )
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_a_record_of_an_older_or_newer_version_can_be_read() -> None:
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
def test_a_health_check_is_a_command_or_a_text_for_the_shell(
    test: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    assert Health(test=test).argv == argv


@pytest.mark.parametrize("text", ["never", "always:3", "on-failure:x", "on-failure:-1", "no:1"])
def test_a_restart_policy_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid restart policy"):
        parse_restart(text)


def test_no_restart_policy_is_no() -> None:
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
def test_sizes_are_read_as_docker_reads_them(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "1x", "1 m 2", "1mm", "nan", "inf"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid size"):
        parse_bytes(text)


def test_less_memory_than_docker_allows_is_refused() -> None:
    assert parse_memory("6m") == 6 << 20
    with pytest.raises(UsageError, match="Minimum memory"):
        parse_memory("5m")


@pytest.mark.parametrize(
    ("text", "nanoseconds"), [("0", 0), ("1h", 3600 * SECOND), ("1.5s", 3 * SECOND // 2)]
)
def test_durations_are_gos(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "1", "s", "1s ", "-1s", "1y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid duration"):
        parse_duration(text)


def test_logs_rotate_as_asked() -> None:
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
def test_a_log_that_cannot_be_is_refused(driver: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_log_options(driver, options)

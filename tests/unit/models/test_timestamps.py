# SPDX-License-Identifier: MIT
"""Times as users write them, and ages as Docker shows them."""

from __future__ import annotations

import pytest

from sandbox.errors import UsageError
from sandbox.models.timestamps import human_duration, parse_moment, seconds_since


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", -5.0),
        ("10m", 400.0),
        ("1970-01-01T00:00:01.123456789Z", 1.123456),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:00.5+00:00", 0.5),
    ],
)
def test_a_time_may_be_a_number_a_timestamp_or_a_duration(text: str, moment: float) -> None:
    assert parse_moment(text, 1000.0) == pytest.approx(moment)


@pytest.mark.parametrize("text", ["", "yesterday", "10 m", "2026-13-01"])
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="as a time or duration"):
        parse_moment(text, 0)


DAY = 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (3600, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * DAY, "13 days"),
        (14 * DAY, "2 weeks"),
        (59 * DAY, "8 weeks"),
        (60 * DAY, "2 months"),
        (729 * DAY, "24 months"),
        (730 * DAY, "2 years"),
    ],
)
def test_ages_are_rounded_as_by_docker(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_a_timestamp_in_the_future_counts_as_now() -> None:
    assert seconds_since("1970-01-01T00:01:00Z", 90.0) == 30.0
    assert seconds_since("1970-01-01T00:01:00Z", 30.0) == 0.0

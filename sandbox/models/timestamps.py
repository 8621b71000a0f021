# SPDX-License-Identifier: MIT
"""Times in users' formats: RFC 3339, dates, Unix seconds, durations before now.

Rules: pure, but for `now`.
"""

from __future__ import annotations

import time
from datetime import datetime

from sandbox.errors import UsageError
from sandbox.models.policy import parse_duration

_AGES = (
    (60, 1, "seconds", "1 second"),
    (3600, 60, "minutes", "About a minute"),
    (48 * 3600, 3600, "hours", "About an hour"),
    (14 * 86400, 86400, "days", "1 day"),
    (60 * 86400, 7 * 86400, "weeks", "1 week"),
    (730 * 86400, 30 * 86400, "months", "1 month"),
)


NEVER = "0001-01-01T00:00:00Z"
"""Docker's text for a time that has not come: Go's zero time."""


def now() -> str:
    """Return the time in RFC 3339, with nanoseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09}Z"


def parse_moment(text: str, now: float) -> float:
    """Return a time in seconds since 1970; a duration counts back from *now*.

    Raises UsageError.

    >>> parse_moment("90s", 1000), parse_moment("12.5", 0)
    (910.0, 12.5)
    >>> parse_moment("1970-01-01T00:01:00Z", 0)
    60.0
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return now - parse_duration(text) / 10**9
    except UsageError:
        pass
    try:
        return datetime.fromisoformat(_six_digits(text)).timestamp()
    except ValueError:
        raise UsageError(f"invalid value: failed to parse '{text}' as a time or duration") from None


def _six_digits(text: str) -> str:
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"


def human_duration(seconds: float) -> str:
    """Return an approximate duration in words, rounded as Docker does.

    >>> human_duration(0.5), human_duration(75), human_duration(3 * 3600)
    ('Less than a second', 'About a minute', '3 hours')
    """
    if seconds < 1:
        return "Less than a second"
    for limit, unit, plural, one in _AGES:
        # Hours are rounded to the nearest; other units are truncated.
        count = int(seconds / unit + 0.5) if unit == 3600 else int(seconds / unit)
        if seconds < limit and not (unit == 3600 and count >= 48):
            return one if count == 1 else f"{count} {plural}"
    return f"{int(seconds / (365 * 86400))} years"


def seconds_since(stamp: str, now: float) -> float:
    """Return the seconds from the RFC 3339 *stamp* to *now* (seconds since 1970)."""
    return max(0.0, now - datetime.fromisoformat(stamp).timestamp())

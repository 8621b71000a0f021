"""Moments as users write them: RFC 3339, a date, Unix seconds, or so long ago. Pure."""

from __future__ import annotations

from datetime import datetime

from sandbox.errors import UsageError
from sandbox.models.policy import parse_duration


def parse_moment(text: str, now: float) -> float:
    """Return seconds since 1970; *now* is what a duration is taken from.

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

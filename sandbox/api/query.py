# SPDX-License-Identifier: MIT
"""Parse the values of query strings: numbers, booleans, filters, times. Pure.

Rules: tolerant in form, because Go, Python and JavaScript clients spell the same value
differently; strict in meaning: an unknown value is a `BadRequest`.
"""

from __future__ import annotations

import json
import time
from typing import Any

from sandbox.api.errors import BadRequest
from sandbox.errors import UsageError
from sandbox.models.timestamps import parse_moment

_FALSE = frozenset({"", "0", "no", "false", "none"})
Filters = dict[str, list[str]]


def truth(text: str) -> bool:
    """Return the value of a boolean: true except for a few words, as in Docker.

    >>> truth("1"), truth("True"), truth("false"), truth("")
    (True, True, False, False)
    """
    return text.strip().lower() not in _FALSE


def number(text: str, name: str) -> int:
    """Return a whole number."""
    try:
        value = int(text)
    except ValueError:
        raise BadRequest(f"invalid value for {name}: strconv.Atoi: parsing {text!r}") from None
    if not -(2**63) <= value < 2**63:
        raise BadRequest(f"invalid value for {name}: {text} is out of range")
    return value


def filters(text: str) -> Filters:
    """Return the values of each key; the CLI sends maps, libraries lists.

    >>> filters('{"label":{"a=b":true,"c":false},"name":["x"]}')
    {'label': ['a=b'], 'name': ['x']}
    """
    if not text:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("invalid filter: invalid character in filters") from None
    if not isinstance(data, dict):
        raise BadRequest("invalid filter: an object of lists or maps is needed")
    return {str(key): _values(str(key), value) for key, value in data.items()}


def _values(key: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        return [str(name) for name, wanted in value.items() if wanted]
    if isinstance(value, list):
        return [_word(item) for item in value]
    if isinstance(value, str | bool | int):
        return [_word(value)]
    raise BadRequest(f"invalid filter '{key}'")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_flags(wanted: Filters) -> list[str]:
    """Return filters in the form of the command line.

    >>> as_flags({"label": ["a=b", "c"]})
    ['label=a=b', 'label=c']
    """
    return [f"{key}={value}" for key, values in wanted.items() for value in values]


def flag_filter(wanted: Filters, key: str) -> bool | None:
    """Return the value of a boolean filter, or None if it is absent."""
    values = wanted.get(key)
    if not values:
        return None
    found = {value.lower() for value in values}
    if found <= {"1", "true"}:
        return True
    if found <= {"0", "false"}:
        return False
    raise BadRequest(f"invalid filter '{key}={sorted(values)}'")


def moment(text: str) -> float:
    """Return seconds since 1970 from a number, an RFC 3339 time, or a duration before now.

    >>> moment("12.5"), moment("1970-01-01T00:01:00Z")
    (12.5, 60.0)
    """
    try:
        found = parse_moment(text, time.time())
    except (UsageError, OverflowError) as exc:
        raise BadRequest(str(exc)) from None
    if not -1e11 < found < 1e11:
        raise BadRequest(f"invalid time: {text}")
    return found

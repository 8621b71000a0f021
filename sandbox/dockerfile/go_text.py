# SPDX-License-Identifier: MIT
"""Text functions that behave as in Go's standard library, since BuildKit uses those. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""unicode.IsSpace. Python's str.isspace() also accepts four control characters."""
ASCII_SPACES = "\t\n\v\f\r "
"""The spaces that BuildKit recognises where it works on bytes, not characters."""

_CLOSE = 3
_NAMED = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}
_DELETE, _SHORT, _FIRST_BYTE, _LAST_BYTE = 0x7F, 0xFFFF, 0xDC80, 0xDCFF
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63 - 1
_TOO_MANY_DIGITS = 30


def suggestion(word: str, options: Iterable[str], *, case_sensitive: bool = True) -> str:
    """Return the option that is close to *word*, in the case of *word*; "" if none is.

    >>> suggestion("FORM", ["from", "run"], case_sensitive=False)
    'FROM'
    """
    wanted = word if case_sensitive else word.lower()
    best, distance = "", _CLOSE
    for option in options:
        candidate = option if case_sensitive else option.lower()
        if candidate == wanted:
            return ""
        found = _distance(wanted, candidate)
        if found < distance:
            best, distance = candidate, found
    return best if case_sensitive else _in_the_case_of(word, best)


def did_you_mean(message: str, word: str, options: Iterable[str], **how: bool) -> str:
    """Return *message*, with Docker's suggestion added if an option is close to *word*."""
    found = suggestion(word, options, **how)
    return f"{message} (did you mean {found}?)" if found else message


def quoted(text: str) -> str:
    """Return *text* as Go's %q prints it: in double quotes, with escapes."""
    return '"' + "".join(_NAMED.get(char) or _shown(char) for char in text) + '"'


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if _FIRST_BYTE <= code <= _LAST_BYTE:  # a byte that is not UTF-8
        return f"\\x{code - _FIRST_BYTE + 0x80:02x}"
    if code < _DELETE + 1:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _SHORT else f"\\U{code:08x}"


def duration(text: str) -> int:
    """Return a Go duration such as 1m30s in nanoseconds. Raises ValueError for other text.

    >>> duration("1m30s")
    90000000000
    """
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    total = position = 0
    while position < len(rest):
        match = _DURATION.match(rest, position)
        if match is None or not (match[1] or match[2]) or len(match[1]) > _TOO_MANY_DIGITS:
            raise ValueError(_duration_problem(text, rest[position:]))
        fraction = (match[2] or "")[:_TOO_MANY_DIGITS]
        unit = _UNITS[match[3]]
        total += int(match[1] or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        position = match.end()
    if total > _LONGEST:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    return -total if text.startswith("-") else total


def _duration_problem(text: str, rest: str) -> str:
    number = re.match(r"[0-9]*\.?[0-9]*", rest)
    unit = re.match(r"[^0-9.]*", rest[number.end() :] if number else rest)
    if number and any(c.isdigit() for c in number[0]):
        if unit and unit[0]:
            return f"time: unknown unit {quoted(unit[0])} in duration {quoted(text)}"
        return f"time: missing unit in duration {quoted(text)}"
    return f"time: invalid duration {quoted(text)}"


def _in_the_case_of(word: str, option: str) -> str:
    if word == word.lower():
        return option.lower()
    return option.upper() if word == word.upper() else option


def _distance(left: str, right: str) -> int:
    """Return the Levenshtein distance, exact up to two; larger ones count as three."""
    if abs(len(left) - len(right)) >= _CLOSE:
        return _CLOSE
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]

# SPDX-License-Identifier: MIT
"""The functions of ``--format`` templates, and Go's format of values.

Rules: pure. A wrong argument raises `TemplateError`, or TypeError or ValueError, which the
evaluator converts.

Does not know: syntax (see `template`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class TemplateError(UsageError):
    """A template that cannot be parsed, or does not fit the value."""

    def __init__(self, reason: str) -> None:
        """Put Docker's prefix before *reason*."""
        super().__init__(f"template parsing error: {reason}")


class Struct(dict[str, Any]):
    """A value with fixed fields: an unknown field is an error."""


def is_true(value: Any) -> bool:
    """Tell whether Go's template would take the branch."""
    return bool(value) or isinstance(value, Struct)


def show(value: Any) -> str:
    """Return the text of *value* as Go's ``%v`` prints it.

    >>> show([1, True, {"a": None}])
    '[1 true map[a:<nil>]]'
    """
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Struct):
        return "{" + " ".join(show(item) for item in value.values()) + "}"
    if isinstance(value, dict):
        pairs = (f"{key}:{show(item)}" for key, item in sorted(value.items()))
        return "map[" + " ".join(pairs) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(show(item) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def to_json(value: Any) -> str:
    """Return compact JSON in the order of the fields."""
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+)?(?:\.(?P<precision>\d+))?(?P<verb>.)")


def printf(template: str, *arguments: Any) -> str:
    """Return Go's Sprintf for the verbs that occur in practice.

    >>> printf("%-4s|%03d|%q|%v", "ab", 7, "x", [1, 2])
    'ab  |007|"x"|[1 2]'
    """
    remaining = list(arguments)

    def expand(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb == "%":
            return "%"
        if not remaining:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, remaining.pop(0), match["precision"])
        width = int(match["width"] or 0)
        if "-" in match["flags"]:
            return text.ljust(width)
        if "0" in match["flags"] and verb != "s":
            return text.zfill(width)
        return text.rjust(width)

    result = _VERB.sub(expand, template)
    extra = ", ".join(show(item) for item in remaining)
    return result + (f"%!(EXTRA {extra})" if remaining else "")


def _verb(verb: str, value: Any, precision: str | None) -> str:
    if verb in "vs":
        text = show(value)
        return text[: int(precision)] if precision and verb == "s" else text
    if verb == "q":
        return to_json(show(value))
    if verb in "dxXob" and isinstance(value, int):
        return format(value, verb)
    if verb in "xX" and isinstance(value, str):
        return value.encode().hex()
    if verb in "feg" and isinstance(value, int | float):
        return format(float(value), f".{precision or 6}{verb}")
    if verb == "t" and isinstance(value, bool):
        return show(value)
    if verb == "c" and isinstance(value, int):
        return chr(value)
    return f"%!{verb}({show(value)})"


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise TemplateError("error calling eq: missing argument for comparison")
    return any(type(first) is type(other) and first == other for other in others)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(key, int) and isinstance(value, list | tuple | str):
            if not 0 <= key < len(value):
                raise TemplateError(f"error calling index: index out of range: {key}")
            value = value[key]
        elif value is None:
            raise TemplateError("error calling index: index of untyped nil")
        else:
            raise TemplateError(f"error calling index: can't index {show(value)}")
    return value


def _print(*values: Any) -> str:
    text = ""
    for number, value in enumerate(values):
        # Go puts a space between operands when neither side is a string.
        if number and not (isinstance(value, str) or isinstance(values[number - 1], str)):
            text += " "
        text += show(value)
    return text


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _title(text: str) -> str:
    return re.sub(r"\b\w", lambda match: match[0].upper(), text)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "not": lambda value: not is_true(value),
    "eq": _equal,
    "ne": lambda first, second: not _equal(first, second),
    "lt": lambda first, second: first < second,
    "le": lambda first, second: first <= second,
    "gt": lambda first, second: first > second,
    "ge": lambda first, second: first >= second,
    "len": len,
    "index": _index,
    "slice": lambda value, *bounds: value[slice(*bounds)] if bounds else value,
    "print": _print,
    "printf": printf,
    "println": lambda *values: " ".join(show(value) for value in values) + "\n",
    "json": to_json,
    "join": lambda values, separator="": separator.join(values or ()),
    "split": lambda text, separator: text.split(separator),
    "lower": str.lower,
    "upper": str.upper,
    "title": _title,
    "pad": _pad,
    "truncate": lambda text, length: text[:length],
}

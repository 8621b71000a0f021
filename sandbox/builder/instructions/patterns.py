# SPDX-License-Identifier: MIT
"""Patterns of COPY and ADD, with the syntax of Go's filepath.Match.

Rules: a pattern never matches a path outside the view; `*` and `?` match within one name.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sandbox.builder.file_views import clean, join, resolve
from sandbox.dockerfile.dockerignore import IgnoreRules
from sandbox.errors import CorruptData

if TYPE_CHECKING:
    from sandbox.builder.file_views import View

_META = re.compile(rb"[*?\[\\]")
_RANGE = re.compile(rb"(.)-(.)", re.DOTALL)


def has_pattern(path: str) -> bool:
    """Tell whether *path* holds wildcards."""
    return _META.search(os.fsencode(path)) is not None


def matches(view: View, pattern: str) -> list[bytes]:
    """Return the paths that match a pattern by the rules of Go's filepath.Match."""
    found = [b""]
    for part in clean(pattern).split(b"/"):
        if _META.search(part) is None:
            found = [join(path, part) for path in found]
            found = [path for path in found if view.fact(resolve(view, path, follow=False))]
            continue
        wanted = go_pattern(part)
        next_found = []
        for path in found:
            folder = resolve(view, path)
            fact = view.fact(folder)
            if fact is not None and fact.kind == "d":
                names = view.names(folder)
                next_found += [join(path, name) for name in names if wanted.fullmatch(name)]
        found = next_found
    return found


def deep_matches(view: View, top: bytes, pattern: str) -> list[bytes]:
    """Return the paths below *top* that match a pattern with ``**``, as in .dockerignore.

    The content of a matching directory is not listed.
    """
    rules = IgnoreRules.of([os.fsdecode(clean(pattern))])
    found = []
    pending = [top]
    while pending:
        folder = pending.pop()
        for name in view.names(resolve(view, folder)):
            path = join(folder, name)
            fact = view.fact(path)
            if rules.verdict(os.fsdecode(path[len(top) :].lstrip(b"/"))).excluded:
                found.append(path)
            elif fact is not None and fact.kind == "d":
                pending.append(path)
    return sorted(found)


def go_pattern(part: bytes) -> re.Pattern[bytes]:
    """Return the regular expression of one component of a Go pattern.

    >>> bool(go_pattern(b"a[^b-c]*").fullmatch(b"adx")), bool(go_pattern(b"?").fullmatch(b"xy"))
    (True, False)
    """
    out, place = b"", 0
    while place < len(part):
        char = part[place : place + 1]
        place += 1
        if char == b"*":
            out += b"[^/]*"
        elif char == b"?":
            out += b"[^/]"
        elif char == b"\\" and place < len(part):
            out += re.escape(part[place : place + 1])
            place += 1
        elif char == b"[":
            end = _class_end(part, place)
            out += _class(part[place:end])
            place = end + 1
        else:
            out += re.escape(char)
    return re.compile(out, re.DOTALL)


def _class_end(part: bytes, start: int) -> int:
    place = start + (part[start : start + 1] == b"^")
    while place < len(part):
        if part[place : place + 1] == b"\\":
            place += 2
            continue
        if part[place : place + 1] == b"]":
            if place == start + (part[start : start + 1] == b"^"):
                break
            return place
        place += 1
    raise CorruptData(f"syntax error in pattern: {os.fsdecode(part)}")


def _class(body: bytes) -> bytes:
    negated = body.startswith(b"^")
    inner = body[1:] if negated else body
    inner = re.sub(rb"\\(.)", rb"\1", inner, flags=re.DOTALL)
    # In Go a range whose end comes before its start matches nothing; in Python it is an error.
    inner = _RANGE.sub(lambda match: match[0] if match[1] <= match[2] else b"", inner)
    if not inner:
        return b"." if negated else b"(?!)"
    kept = inner.replace(b"\\", b"\\\\").replace(b"]", b"\\]").replace(b"[", b"\\[")
    kept = kept.replace(b"^", b"\\^")
    return b"[" + (b"^" if negated else b"") + kept + b"]"

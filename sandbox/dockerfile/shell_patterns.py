# SPDX-License-Identifier: MIT
r"""Shell patterns of ``${name#pattern}``, ``${name%pattern}`` and ``${name/pattern/text}``.

A pattern has ``*``, ``?`` and the escapes ``\*``, ``\?``, ``\\``; it has no brackets. A star
does not match a newline.

Matching never backtracks: the pattern is split at stars into segments. Taking the earliest
place of each segment gives the shortest match, and the latest place of the last segment
gives the longest.
"""

from __future__ import annotations

_ANY = "\0any"
Segment = list[str]


def trim_prefix(pattern: str, value: str, *, longest: bool) -> str:
    """Return *value* without the prefix that *pattern* matches."""
    end = _match_at(_segments(pattern), value, 0, longest=longest)
    return value if end is None else value[end:]


def trim_suffix(pattern: str, value: str, *, longest: bool) -> str:
    """Return *value* without the suffix that *pattern* matches."""
    segments = [segment[::-1] for segment in reversed(_segments(pattern))]
    end = _match_at(segments, value[::-1], 0, longest=longest)
    return value if end is None else value[: len(value) - end]


def substitute(pattern: str, value: str, replacement: str, *, everywhere: bool) -> str:
    """Return *value* with the longest match of *pattern*, or every match, replaced.

    >>> substitute("a*c", "xabcabc", "-", everywhere=False)
    'x-'
    >>> substitute("b", "abab", "", everywhere=True)
    'aa'
    """
    segments = _segments(pattern)
    out, position, start, previous = [], 0, 0, -1
    while start <= len(value):
        end = _match_at(segments, value, start, longest=True)
        if end is None or (end == start == previous):
            start += 1
            continue
        out += [value[position:start], replacement]
        position = previous = end
        start = end + (end == start)
        if not everywhere:
            break
    return "".join(out) + value[position:]


def _segments(pattern: str) -> list[Segment]:
    segments: list[Segment] = [[]]
    chars = iter(pattern)
    for char in chars:
        if char == "*":
            segments.append([])
        elif char == "?":
            segments[-1].append(_ANY)
        elif char == "\\":
            escaped = next(chars, "\ufffd")
            if escaped not in ("*", "?", "\\", "}", "/"):
                raise ValueError(f"invalid escape '\\{escaped}'")
            segments[-1].append(escaped)
        else:
            segments[-1].append(char)
    return segments


def _match_at(segments: list[Segment], text: str, start: int, *, longest: bool) -> int | None:
    if not _fits(segments[0], text, start):
        return None
    position = start + len(segments[0])
    for index, segment in enumerate(segments[1:], 2):
        limit = text.find("\n", position)
        limit = len(text) if limit < 0 else limit
        places = range(position, min(limit, len(text) - len(segment)) + 1)
        wanted = reversed(places) if longest and index == len(segments) else places
        found = next((place for place in wanted if _fits(segment, text, place)), None)
        if found is None:
            return None
        position = found + len(segment)
    return position


def _fits(segment: Segment, text: str, at: int) -> bool:
    if at + len(segment) > len(text):
        return False
    return all(
        char == text[at + offset] or (char is _ANY and text[at + offset] != "\n")
        for offset, char in enumerate(segment)
    )

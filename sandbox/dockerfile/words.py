# SPDX-License-Identifier: MIT
"""The arguments of one logical line: flags, words, pairs, JSON arrays. Pure.

Rules: quotes stay in a word until it is expanded; flags lose theirs here. A text that begins
like a JSON array but is not one is ordinary text, as in Docker.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from sandbox.dockerfile.errors import LanguageError
from sandbox.dockerfile.go_text import ASCII_SPACES, SPACES, quoted
from sandbox.dockerfile.instructions import KeyValue

GAP = re.compile(r"[\t\v\f\r ]+")
_SURROGATE = re.compile("[\ud800-\udfff]")

_NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"


class ArgumentError(LanguageError):
    """Wrong arguments; code that knows the line turns this into a DockerfileError."""


@dataclass(frozen=True)
class Split:
    """A line split into ``KEYWORD --flag... rest``."""

    keyword: str
    flags: tuple[str, ...]
    rest: str


def split_line(line: str) -> Split:
    """Return the keyword, the flags and the rest of a logical line."""
    keyword, *more = GAP.split(line.strip(SPACES), maxsplit=1)
    flags, rest = _flags(more[0]) if more else ((), "")
    return Split(keyword, flags, rest.strip(SPACES))


def _flags(line: str) -> tuple[tuple[str, ...], str]:
    flags: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at] in ASCII_SPACES:
            at += 1
        if not line.startswith("--", at):
            return tuple(flags), line[at:]
        word, at, blank = _flag(line, at)
        if word == "--":
            return tuple(flags), line[at:]
        if word or blank:
            flags.append(word)
        if at >= len(line):
            return tuple(flags), ""


def _flag(line: str, at: int) -> tuple[str, int, bool]:
    word: list[str] = []
    quote = ""
    blank = False
    while at < len(line):
        char = line[at]
        if not quote and char in ASCII_SPACES:
            break
        at += 1
        if char == quote:
            quote = ""
        elif not quote and char in ("'", '"'):
            quote, blank = char, True
        elif char == "\\":
            word.append(line[at : at + 1])
            at += 1
        else:
            word.append(char)
    return "".join(word), at, blank


def quoted_words(rest: str, escape: str) -> list[str]:
    """Return the words of *rest*. Spaces inside quotes do not split; quotes stay."""
    words: list[str] = []
    word: list[str] = []
    quote, blank, at = "", False, 0
    while at < len(rest):
        char = rest[at]
        at += 1
        if not quote and char in SPACES:
            if word or blank:
                words.append("".join(word))
            word, blank = [], False
            continue
        if char == quote:
            quote = ""
        elif not quote and char in ("'", '"'):
            quote, blank = char, True
        elif char == escape and quote != "'":
            if at == len(rest):
                quote = ""
                continue
            word.append(char)
            char = rest[at]
            at += 1
        word.append(char)
    if word or blank:
        words.append("".join(word))
    return words


def pairs(rest: str, instruction: str, escape: str) -> tuple[KeyValue, ...]:
    """Return the pairs of ENV and LABEL: ``key=value...``, or the old ``key value``."""
    words = quoted_words(rest, escape)
    if words and "=" not in words[0]:
        key, *value = GAP.split(rest, maxsplit=1)
        if not value:
            raise ArgumentError(f"{instruction} must have two arguments")
        return (KeyValue(key, value[0], spaced=True),)
    return tuple(_pair(word) for word in words)


def _pair(word: str) -> KeyValue:
    key, equals, value = word.partition("=")
    if not equals:
        raise ArgumentError(
            f"Syntax error - can't find = in {quoted(word)}. Must be of the form: name=value"
        )
    return KeyValue(key, value)


def json_words(rest: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON array; None if *rest* is not exactly one array.

    Raises ArgumentError if the array has anything but strings.
    """
    text = rest.strip(SPACES)
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_int=float)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in found):
        raise ArgumentError(_NOT_STRINGS)
    return tuple(_SURROGATE.sub("\ufffd", item) for item in found)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def first_word(text: str) -> tuple[str, str]:
    """Return the type of a HEALTHCHECK, and the text after it."""
    end = next((at for at, char in enumerate(text) if char in ASCII_SPACES), len(text))
    return text[:end], text[end:].lstrip(ASCII_SPACES)


def spaced_words(rest: str) -> tuple[str, ...]:
    """Return the words of *rest*, split at blanks; quotes have no effect."""
    return tuple(GAP.split(rest)) if rest else ()

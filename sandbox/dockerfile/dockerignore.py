# SPDX-License-Identifier: MIT
r"""``.dockerignore``: the patterns that leave files out of a build context. Pure.

Source: moby/patternmatcher. The rules differ from those of git:

* A pattern is anchored at the root of the context.
* ``*`` and ``?`` match within one name; ``**`` matches any number of names.
* A pattern that matches a directory also matches everything below it.
* ``!`` includes again what an earlier line excluded; the last line that matches wins.
* ``#`` begins a comment only in the first column.

Paths have no leading slash. Bytes of a name that are not UTF-8 appear as surrogates.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import LanguageError
from sandbox.dockerfile.go_text import SPACES

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = frozenset(".+()|{}$")
_GLOB = frozenset("*?[^")


class IgnoreError(LanguageError):
    """A pattern with a syntax error."""


@dataclass(frozen=True)
class Verdict:
    """The answer for one path; ``matched`` (one entry a rule) helps to answer for its children."""

    excluded: bool
    matched: tuple[bool, ...]


@dataclass(frozen=True)
class _Rule:
    pattern: str
    expression: re.Pattern[str]
    exception: bool


@dataclass(frozen=True)
class IgnoreRules:
    """An ordered list of patterns, as one file or one ``--exclude`` list gives them."""

    rules: tuple[_Rule, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> IgnoreRules:
        """Return the rules in a ``.dockerignore`` file. Raises IgnoreError for a bad pattern."""
        return cls.of(read_patterns(content))

    @classmethod
    def of(cls, patterns: Iterable[str]) -> IgnoreRules:
        """Return the rules in a list of patterns (``COPY --exclude``). Raises IgnoreError."""
        stripped = (pattern.strip(SPACES) for pattern in patterns)
        return cls(tuple(_rule(clean(pattern)) for pattern in stripped if pattern))

    @property
    def has_exceptions(self) -> bool:
        """Whether any pattern begins with an exclamation mark."""
        return any(rule.exception for rule in self.rules)

    def excludes(self, path: str) -> bool:
        """Return whether *path* is excluded. The root of the context never is."""
        path = clean(path)
        above: Verdict | None = None
        for parent in _parents(path):
            above = self.verdict(parent, above)
        return path != "." and self.verdict(path, above).excluded

    def verdict(self, path: str, above: Verdict | None = None) -> Verdict:
        """Return the answer for *path*; *above* is the verdict of its parent directory.

        A walk that passes *above* matches each name once. Without *above*, the method matches
        every parent directory of *path* as well.
        """
        known = above.matched if above is not None and above.matched else None
        excluded = False
        matched: list[bool] = []
        for index, rule in enumerate(self.rules):
            hit = known[index] if known is not None else False
            if not hit and rule.exception == excluded:
                hit = bool(rule.expression.match(path))
                if not hit and known is None:
                    hit = any(rule.expression.match(parent) for parent in _parents(path))
            matched.append(hit)
            if hit:
                excluded = not rule.exception
        return Verdict(excluded, tuple(matched))

    def skips(self, path: str, verdict: Verdict) -> bool:
        """Return whether a walk may skip the directory *path*, since no ``!`` reaches into it."""
        if not verdict.excluded:
            return False
        exceptions = [_without_glob(rule.pattern) for rule in self.rules if rule.exception]
        if any(_GLOB.intersection(pattern) for pattern in exceptions):
            return False
        return not any(f"{pattern}/".startswith(f"{path}/") for pattern in exceptions)

    @property
    def excludes_all(self) -> bool:
        """Whether some pattern excludes every name in the root."""
        return any(not r.exception and r.pattern in ("*", "**", "**/*") for r in self.rules)


def ignore_file_names(dockerfile: str) -> tuple[str, str]:
    """Return the paths of the ignore file to try, in order; the first that exists is used.

    >>> ignore_file_names("build/Dockerfile")
    ('build/Dockerfile.dockerignore', '.dockerignore')
    """
    return f"{dockerfile}.dockerignore", ".dockerignore"


def read_patterns(content: bytes) -> list[str]:
    """Return the patterns in a file: cleaned, with ``!`` but without a leading slash."""
    found: list[str] = []
    text = content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    for line in text.split("\n"):
        pattern = line.removesuffix("\r")
        if pattern.startswith("#"):
            continue
        pattern = pattern.strip(SPACES)
        if not pattern:
            continue
        exception = pattern.startswith("!")
        if exception:
            pattern = pattern[1:].strip(SPACES)
        if pattern:
            pattern = clean(pattern)
            if len(pattern) > 1:
                pattern = pattern.removeprefix("/")
        found.append("!" + pattern if exception else pattern)
    return found


def clean(path: str) -> str:
    """Return what Go's filepath.Clean returns: no "//", no "/./", ".." resolved if possible."""
    found = posixpath.normpath(path or ".")
    return found[1:] if found.startswith("//") else found


def _rule(text: str) -> _Rule:
    exception = text.startswith("!")
    pattern = text[1:] if exception else text
    if exception and not pattern:
        raise IgnoreError('illegal exclusion pattern: "!"')
    _check(pattern)
    try:
        expression = re.compile(_expression(pattern))
    except (re.error, RecursionError, OverflowError):
        raise _syntax(pattern) from None
    return _Rule(pattern, expression, exception)


def _syntax(pattern: str) -> IgnoreError:
    return IgnoreError(f"syntax error in pattern: {pattern}")


def _check(pattern: str) -> None:
    """Raise IgnoreError for a pattern that Go's filepath.Match refuses."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "[":
            at = _class_end(pattern, at)
        elif pattern[at] == "\\":
            at += 2
            if at > len(pattern):
                raise _syntax(pattern)
        else:
            at += 1


def _class_end(pattern: str, at: int) -> int:
    """Return the index after the character class that begins at *at*."""
    at += 1
    if pattern.startswith("^", at):
        at += 1
    ranges = 0
    while not (ranges and pattern.startswith("]", at)):
        at = _class_char(pattern, at)
        if pattern.startswith("-", at):
            at = _class_char(pattern, at + 1)
        ranges += 1
    return at + 1


def _class_char(pattern: str, at: int) -> int:
    if at >= len(pattern) or pattern[at] in "-]":
        raise _syntax(pattern)
    if pattern[at] == "\\":
        at += 1
    if at + 1 >= len(pattern):  # the class has no "]"
        raise _syntax(pattern)
    return at + 1


def _expression(pattern: str) -> str:
    """Return a regular expression that matches the same paths as patternmatcher.

    That includes its shortcuts: ``**x`` matches any path that ends in x.
    """
    tail = pattern.removeprefix("**")
    if tail != pattern and not _GLOB.difference("^").intersection(tail) and "\\" not in tail:
        if tail.startswith("/"):
            return rf"(?s:.*/)?{re.escape(tail[1:])}\Z"
        return rf"(?s:.*){re.escape(tail)}\Z"
    out: list[str] = []
    at, plain = 0, not {"*", "?", "[", "]", "\\"}.intersection(pattern.removesuffix("**"))
    if plain and pattern.endswith("**"):
        return re.escape(pattern[:-2])
    if plain:
        return re.escape(pattern) + r"\Z"
    while at < len(pattern):
        text, at = _piece(pattern, at)
        out.append(text)
    return "".join(out) + r"\Z"


def _piece(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if pattern.startswith("**", at):
        at += 2
        at += pattern.startswith("/", at)
        return (".*" if at >= len(pattern) else "(?:.*/)?"), at
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    if char == "[":
        end = _class_end(pattern, at)
        return _class(pattern[at + 1 : end - 1]), end
    if char == "\\":
        return re.escape(pattern[at + 1 : at + 2]), at + 2
    return ("^" if char == "^" else re.escape(char)), at + 1


def _class(inside: str) -> str:
    negated = inside.startswith("^")
    out: list[str] = []
    at = int(negated)
    while at < len(inside):
        if inside[at] == "\\":
            at += 1
            out.append(re.escape(inside[at : at + 1]))
        else:
            out.append(inside[at] if inside[at] == "-" else re.escape(inside[at]))
        at += 1
    return f"[{'^' if negated else ''}{''.join(out)}]"


def _parents(path: str) -> Iterable[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _without_glob(pattern: str) -> str:
    while pattern.endswith(("/**", "/*")):
        pattern = pattern.rstrip("*").removesuffix("/")
    return pattern

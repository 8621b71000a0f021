# SPDX-License-Identifier: MIT
r"""Expands variables and removes quotes in one word, as BuildKit's shell lexer does. Pure.

::

    word   := ( "'" text "'" | '"' text with variables '"' | escape char | variable | char )*
    variable := "$" name | "${" name "}"
              | "${" name [":"] ("-" | "+" | "?") word "}"
              | "${" name ("#" | "##" | "%" | "%%") pattern "}"
              | "${" name ("/" | "//") pattern "/" text "}"
    name   := [letter "_"] [letter digit "_"]* | digit+ | one of "@*#?-$!0"

Must not know: which variables an instruction sees (``variables``), which words it expands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import LanguageError
from sandbox.dockerfile.go_text import SPACES, quoted
from sandbox.dockerfile.shell_patterns import substitute, trim_prefix, trim_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL = frozenset("@*#?-$!0")
_DEEPEST = 60
_OPERATORS = frozenset("+-?#%")


class ExpansionError(LanguageError):
    """A word that cannot be expanded."""


@dataclass(frozen=True)
class Style:
    """How to read a word; the defaults suit an instruction's argument."""

    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    no_quotes: bool = False
    """Treat quotes as ordinary characters, as in the text of a here-document."""
    keep_unset: bool = False
    """Leave a variable that is not set as it was written."""


@dataclass(frozen=True)
class Expansion:
    """The result for one word: its text, and the variables it named."""

    text: str
    words: tuple[str, ...]
    used: frozenset[str]
    unknown: frozenset[str]


def expand(word: str, variables: Mapping[str, str], *, escape: str = "\\") -> str:
    """Return *word* with variables replaced and quotes removed. Raises ExpansionError.

    >>> expand("${a:-x}/$b", {"b": "y"})
    'x/y'
    """
    return expansion(word, variables, Style(escape)).text


def expand_words(word: str, variables: Mapping[str, str], *, escape: str = "\\") -> tuple[str, ...]:
    """Return *word* expanded, then split at spaces outside quotes. Raises ExpansionError."""
    return expansion(word, variables, Style(escape)).words


def expand_heredoc(text: str, variables: Mapping[str, str]) -> str:
    """Return the text of a here-document with variables replaced. Raises ExpansionError."""
    return expansion(text, variables, Style(no_quotes=True)).text


def expansion(word: str, variables: Mapping[str, str], style: Style) -> Expansion:
    """Return the text, the words and the variables of *word*. Raises ExpansionError."""
    reader = _Reader(word.removeprefix("\ufeff"), variables, style)
    try:
        text, words = reader.until("", raw_escapes=style.raw_escapes)
    except _Syntax as exc:
        raise ExpansionError(f"failed to process {quoted(word)}: {exc}") from exc
    return Expansion(text, tuple(words), frozenset(reader.used), frozenset(reader.unknown))


class _Syntax(Exception):  # noqa: N818 -- never leaves this file
    """A syntax error in the word."""


@dataclass
class _Words:
    """Collects text, and splits it at spaces."""

    done: list[str] = field(default_factory=list)
    word: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        for char in text:
            if char not in SPACES:
                self.word.append(char)
            elif self.word:
                self.finish()

    def add_quoted(self, text: str) -> None:
        if text:
            self.word.append(text)

    def finish(self) -> list[str]:
        if self.word:
            self.done.append("".join(self.word))
            self.word = []
        return self.done


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, str], style: Style) -> None:
        self.text = text
        self.at = 0
        self.variables = variables
        self.style = style
        self.raw_escapes = style.raw_escapes
        self.depth = 0
        self.used: set[str] = set()
        self.unknown: set[str] = set()

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        char = self.peek()
        self.at += 1 if char else 0
        return char

    def until(self, stop: str, *, raw_escapes: bool) -> tuple[str, list[str]]:
        before, self.raw_escapes = self.raw_escapes, raw_escapes
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Syntax("substitutions are nested too deeply")
        try:
            return self._until(stop)
        finally:
            self.raw_escapes = before
            self.depth -= 1

    def _until(self, stop: str) -> tuple[str, list[str]]:
        out: list[str] = []
        words = _Words()
        while char := self.peek():
            if char == stop:
                self.take()
                return "".join(out), words.finish()
            if char == "$":
                text = self._dollar()
                words.add(text)
            elif char in ("'", '"') and not self.style.no_quotes:
                text = self._single() if char == "'" else self._double()
                words.add_quoted(text)
            elif char == "<":
                text = self._less_than()
                words.add_quoted(text)
            elif char == self.style.escape:
                self.take()
                text = (char if self.raw_escapes else "") + self.take()
                words.add_quoted(text)
            else:
                text = self.take()
                words.add(text)
            out.append(text)
        if stop:
            raise _Syntax(f"unexpected end of statement while looking for matching {stop}")
        return "".join(out), words.finish()

    def _less_than(self) -> str:
        """Take "<", or "<<" with the blanks after it, so that ``<< EOF`` stays one word."""
        start = self.at
        self.at += 1
        if self.peek() == "<":
            self.at += 1
            while self.peek() in ("\t", "\r", " "):
                self.at += 1
        return self.text[start : self.at]

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.at = len(self.text)
            raise _Syntax("unexpected end of statement while looking for matching single-quote")
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return f"'{inside}'" if self.style.raw_quotes else inside

    def _double(self) -> str:
        quote = self.take() if self.style.raw_quotes else self.take()[:0]
        out = [quote]
        while char := self.peek():
            if char == '"':
                self.take()
                return "".join([*out, quote])
            if char == "$":
                out.append(self._dollar())
                continue
            self.take()
            if char == self.style.escape:
                if self.raw_escapes:
                    out.append(char)
                following = self.peek()
                if not following:
                    continue
                if following in ('"', "$", self.style.escape):
                    char = self.take()
            out.append(char)
        raise _Syntax("unexpected end of statement while looking for matching double-quote")

    def _dollar(self) -> str:
        self.take()
        if self.peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            return f"${name}" if value is None and self.style.keep_unset else value or ""
        self.take()
        if not self.peek():
            raise _Syntax("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise _Syntax("syntax error: bad substitution")
        return self._braces(self._name())

    def _braces(self, name: str) -> str:
        operator = self.take()
        if operator == "}":
            value = self._value(name)
            return f"${{{name}}}" if value is None and self.style.keep_unset else value or ""
        if operator == "/":
            return self._replaced(name)
        colon = operator == ":"
        if colon:
            operator = self.take()
        elif operator not in _OPERATORS:
            raise _Syntax(f"unsupported modifier ({operator}) in substitution")
        word = self._inner("}", "}", raw_escapes=operator in ("#", "%"))
        value = self._value(name)
        shown = (":" if colon else "") + operator
        if value is None and self.style.keep_unset:
            return f"${{{name}{shown}{word}}}"
        if operator in ("#", "%"):
            return _trimmed(operator, word, value or "")
        return self._alternative(name, shown, word, value)

    @staticmethod
    def _alternative(name: str, operator: str, word: str, value: str | None) -> str:
        absent = value is None or (operator.startswith(":") and not value)
        match operator[-1:]:
            case "-":
                return word if absent else value or ""
            case "+":
                return "" if absent else word
            case "?":
                if absent:
                    state = "unset" if value is None else "empty"
                    raise _Syntax(f"{name}: {word or f'is not allowed to be {state}'}")
                return value or ""
        raise _Syntax(f"unsupported modifier ({operator}) in substitution")

    def _replaced(self, name: str) -> str:
        everywhere = self.peek() == "/"
        if everywhere:
            self.take()
        pattern = self._inner("/", "/' in ${", raw_escapes=True)
        replacement = self._inner("}", "}", raw_escapes=True)
        value = self._value(name)
        if value is None and self.style.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        try:
            return substitute(pattern, value or "", replacement, everywhere=everywhere)
        except ValueError as exc:
            raise _Syntax(f"invalid pattern ({pattern}) in substitution: {exc}") from exc

    def _inner(self, stop: str, missing: str, *, raw_escapes: bool) -> str:
        try:
            return self.until(stop, raw_escapes=raw_escapes)[0]
        except _Syntax:
            if not self.peek():
                what = "'}'" if missing == "}" else "'/' in ${}"
                raise _Syntax(f"syntax error: missing {what}") from None
            raise

    def _name(self) -> str:
        start = self.at
        first = self.peek()
        if first.isdecimal():
            while self.peek().isdecimal():
                self.take()
        elif first in _SPECIAL and first:
            self.take()
        else:
            while (char := self.peek()) and (char.isalpha() or char.isdecimal() or char == "_"):
                self.take()
        return self.text[start : self.at]

    def _value(self, name: str) -> str | None:
        value = self.variables.get(name)
        (self.unknown if value is None else self.used).add(name)
        return value


def _trimmed(operator: str, word: str, value: str) -> str:
    longest = word.startswith(operator)
    pattern = word[1:] if longest else word
    trim = trim_prefix if operator == "#" else trim_suffix
    try:
        return trim(pattern, value, longest=longest)
    except ValueError as exc:
        raise _Syntax(f"invalid pattern ({pattern}) in substitution: {exc}") from exc

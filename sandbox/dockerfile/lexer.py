# SPDX-License-Identifier: MIT
r"""Splits the bytes of a Dockerfile into logical lines. Pure.

Rules, all BuildKit's:

* A file may begin with a byte order mark.
* A directive is a comment ``# name=value`` above everything else.
* A line that ends in the escape character continues on the next line. Comments between the
  two are dropped, and so are blank lines, with a warning.
* The body of a here-document is kept unchanged.
* A line has fewer than 65,535 bytes.

Must not know: instructions, except which of them may have here-documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.expand import ExpansionError, Style, expansion
from sandbox.dockerfile.go_text import SPACES
from sandbox.dockerfile.instructions import Heredoc, Span
from sandbox.dockerfile.stages import Directives
from sandbox.dockerfile.words import ArgumentError, json_words, split_line

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 65535
_BOM = "\ufeff"
_DIRECTIVE = re.compile(
    r"#[\t\n\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z"
)
_KNOWN = ("syntax", "escape", "check")
_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\v\f\r ]*([^<]*)\Z")
_WITH_HEREDOCS = frozenset({"add", "copy", "run"})


@dataclass(frozen=True)
class Line:
    """One logical line, continuations joined; ``comments`` are those directly above."""

    text: str
    span: Span
    comments: tuple[str, ...]
    heredocs: tuple[Heredoc, ...] = ()
    empty_continuation: bool = False


@dataclass(frozen=True)
class Source:
    """A Dockerfile as logical lines."""

    name: str
    text: str
    directives: Directives
    lines: tuple[Line, ...]


def lex(content: bytes, *, name: str) -> Source:
    """Return the logical lines of a Dockerfile; *name* is for messages. Raises DockerfileError."""
    text = content.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    if not content:
        raise DockerfileError("the Dockerfile cannot be empty", name=name)
    lexer = _Lexer(name, text)
    directives = lexer.directives()
    lines = tuple(lexer.lines(directives.escape))
    if not lines:
        raise DockerfileError("file with no instructions", name=name)
    return Source(name, text, directives, lines)


def parse_heredoc(word: str) -> Heredoc | None:
    """Return the here-document that *word* (``<<-"EOF"``) begins, still empty, or None."""
    match = _HEREDOC.match(word)
    if match is None or not match[3]:
        return None
    plain = expansion(match[3], {}, Style(keep_unset=True)).words
    if len(plain) != 1:
        return None
    raw = expansion(match[3], {}, Style(keep_unset=True, raw_quotes=True)).words
    if len(raw) != 1:
        return None
    quotes = [sum(text.count(quote) for quote in "'\"") for text in (plain[0], raw[0])]
    return Heredoc(
        plain[0],
        "",
        expand=quotes[0] == quotes[1],
        strip_tabs=bool(match[2]),
        descriptor=int(match[1][:9] or 0),
    )


def heredocs_of(line: str) -> list[Heredoc]:
    """Return the here-documents that a line begins, in order."""
    style = Style(raw_quotes=True, raw_escapes=True, keep_unset=True)
    try:
        words = expansion(line, {}, style).words
    except ExpansionError:
        return []
    found = [parse_heredoc(word) for word in words if "<<" in word]
    return [heredoc for heredoc in found if heredoc is not None]


class _Lexer:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.physical = text.split("\n")
        if not self.physical[-1]:
            self.physical.pop()
        self.number = 0

    def error(self, reason: str, first: int, last: int) -> DockerfileError:
        return DockerfileError(reason, name=self.name, text=self.text, span=Span(first, last))

    def take(self) -> str | None:
        """Return the next physical line with its carriage return; None at the end."""
        if self.number >= len(self.physical):
            return None
        line = self.physical[self.number]
        self.number += 1
        if len(line) * 4 > LONGEST_LINE and len(line.encode("utf-8", "replace")) >= LONGEST_LINE:
            reason = f"dockerfile line greater than max allowed size of {LONGEST_LINE}"
            raise self.error(reason, self.number, self.number)
        return line

    def directives(self) -> Directives:
        found = self._directives(0)
        if self.physical and self.physical[0].startswith("#!"):
            later = self._directives(1)
            found = {key: value for key, value in later.items() if key != "escape"}
        escape = found.get("escape", "\\")
        if escape not in ("\\", "`"):
            line = next(n for n, text in enumerate(self.physical, 1) if "escape" in text.lower())
            reason = f"invalid escape token '{escape}' does not match ` or \\"
            raise self.error(reason, line, line)
        syntax, check = (
            found[key].partition(" ")[0] if key in found else None for key in ("syntax", "check")
        )
        return Directives(syntax, escape, check)

    def _directives(self, start: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(self.physical[start:], start + 1):
            match = _DIRECTIVE.match(line.rstrip("\r").lstrip(SPACES))
            key = match[1].lower() if match else ""
            if match is None or key not in _KNOWN:
                break
            if key in found:
                reason = f"only one {key} parser directive can be used"
                raise self.error(reason, number, number)
            found[key] = match[2]
        return found

    def lines(self, escape: str) -> Iterator[Line]:
        continued = re.compile(rf"(?:(?<=[^{re.escape(escape)}])|\A){re.escape(escape)}[ \t]*\Z")
        comments: list[str] = []
        while (physical := self.take()) is not None:
            stripped = physical.rstrip("\r\n").lstrip(SPACES)
            if stripped.startswith("#"):
                comment = stripped[1:].strip(SPACES)
                comments = [*comments, comment] if comment else []
                continue
            if not stripped:
                comments = []
                continue
            yield self._line(stripped, continued, tuple(comments))
            comments = []

    def _line(self, start: str, continued: re.Pattern[str], comments: tuple[str, ...]) -> Line:
        first = self.number
        parts = [start]
        empty = False
        while (match := continued.search(parts[-1])) is not None:
            parts[-1] = parts[-1][: match.start()]
            following, blank = self._continuation()
            empty = empty or blank
            if following is None:
                break
            parts.append(following)
        text = "".join(parts)
        line = Line(text, Span(first, self.number), comments, empty_continuation=empty)
        self._check_characters(line)
        return self._with_heredocs(line)

    def _continuation(self) -> tuple[str | None, bool]:
        empty = False
        while (physical := self.take()) is not None:
            line = physical.rstrip("\r\n")
            bare = line.lstrip(SPACES)
            if bare.startswith("#"):
                continue
            if bare:
                return line, empty
            empty = True
        return None, empty

    def _check_characters(self, line: Line) -> None:
        if "\0" in line.text or any("\udc80" <= char <= "\udcff" for char in line.text):
            reason = "the line contains bytes that are not UTF-8 text"
            raise self.error(reason, line.span.first, line.span.last)

    def _with_heredocs(self, line: Line) -> Line:
        if "<<" not in line.text or not _may_hold_heredocs(line.text):
            return line
        try:
            begun = heredocs_of(line.text)
        except ExpansionError as exc:
            raise self.error(str(exc), line.span.first, line.span.last) from exc
        done = tuple(self._body(heredoc, line.span.first) for heredoc in begun)
        return replace(line, heredocs=done, span=Span(line.span.first, self.number))

    def _body(self, heredoc: Heredoc, first: int) -> Heredoc:
        content: list[str] = []
        while (physical := self.take()) is not None:
            candidate = physical.rstrip("\r")
            if heredoc.strip_tabs:
                candidate = candidate.lstrip("\t")
            if candidate == heredoc.name:
                return replace(heredoc, content="".join(content))
            last = self.number == len(self.physical) and not self.text.endswith("\n")
            content.append(physical if last else physical + "\n")
        raise self.error("unterminated heredoc", first, self.number)


def _may_hold_heredocs(text: str) -> bool:
    split = split_line(text)
    if split.keyword.lower() == "onbuild":
        split = split_line(split.rest)
    keyword = split.keyword.lower()
    if keyword not in _WITH_HEREDOCS:
        return False
    try:
        return json_words(split.rest) is None
    except ArgumentError:
        return False

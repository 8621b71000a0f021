# SPDX-License-Identifier: MIT
"""The input of every instruction's parser. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from sandbox.dockerfile.flags import Given, Known, parse_flags
from sandbox.dockerfile.go_text import SPACES
from sandbox.dockerfile.instructions import Command
from sandbox.dockerfile.words import ArgumentError, json_words, spaced_words

if TYPE_CHECKING:
    from sandbox.dockerfile.instructions import Heredoc, Span
    from sandbox.dockerfile.lexer import Line
    from sandbox.dockerfile.words import Split


class Common(TypedDict):
    """The fields that every instruction has, as keyword arguments."""

    span: Span
    original: str
    keyword: str
    comments: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One line, split into keyword, flags and the rest."""

    line: Line
    split: Split
    escape: str

    @property
    def name(self) -> str:
        """The keyword in upper case."""
        return self.split.keyword.upper()

    @property
    def rest(self) -> str:
        """Everything after the flags."""
        return self.split.rest

    @property
    def heredocs(self) -> tuple[Heredoc, ...]:
        """The here-documents of the line."""
        return self.line.heredocs

    def common(self) -> Common:
        """Return the fields that every instruction has."""
        return {
            "span": self.line.span,
            "original": self.line.text.strip(SPACES),
            "keyword": self.split.keyword,
            "comments": self.line.comments,
        }

    def flags(self, known: Known | None = None) -> Given:
        """Return the flags that were given. Raises ArgumentError for one that is not *known*."""
        return parse_flags(self.split.flags, known or Known())

    def text(self) -> str:
        """Return the rest as the one required argument. Raises ArgumentError if it is empty."""
        if not self.rest:
            raise ArgumentError(f"{self.name} requires exactly one argument")
        return self.rest

    def words(self) -> tuple[str, ...]:
        """Return the words of a JSON array or of a list separated by blanks."""
        found = json_words(self.rest)
        return spaced_words(self.rest) if found is None else found

    def command(self) -> Command:
        """Return the rest as a command: the words of a JSON array, or one text for the shell."""
        found = json_words(self.rest)
        return Command((self.rest,), True) if found is None else Command(found, False)

    def at_least_one(self) -> ArgumentError:
        """Return the error for an instruction without arguments."""
        return ArgumentError(f"{self.name} requires at least one argument")

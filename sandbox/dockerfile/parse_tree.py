# SPDX-License-Identifier: MIT
"""BuildKit's parse tree: each line of a Dockerfile as keyword, flags and words. Pure.

Rules: as in BuildKit's parser, only the shape of a line matters. ``parser`` checks flags,
the number of arguments, and that there is a stage. So a file without FROM has a tree, and
a line with an unknown keyword has a node without words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import DockerfileError, LanguageError
from sandbox.dockerfile.go_text import SPACES, quoted
from sandbox.dockerfile.lexer import lex
from sandbox.dockerfile.words import (
    first_word,
    json_words,
    pairs,
    quoted_words,
    spaced_words,
    split_line,
)

if TYPE_CHECKING:
    from sandbox.dockerfile.instructions import Heredoc, Span
    from sandbox.dockerfile.lexer import Source
    from sandbox.dockerfile.words import Split

_LISTS = frozenset({"add", "copy", "volume"})
_COMMANDS = frozenset({"cmd", "entrypoint", "run", "shell"})
_TEXTS = frozenset({"maintainer", "stopsignal", "user", "workdir"})
_SPACED = frozenset({"expose", "from"})


@dataclass(frozen=True)
class Words:
    """The arguments of one line.

    ``values`` of ENV and LABEL hold three entries a pair: name, value, and ``=`` ("" in the old
    form). For HEALTHCHECK the first value is the type. RUN, CMD, ENTRYPOINT and SHELL in shell
    form have one value, the text. ``json`` is true if the values were a JSON array. ``child``
    is the instruction inside ONBUILD.
    """

    values: tuple[str, ...] = ()
    json: bool = False
    child: Words | None = None
    keyword: str = ""
    """The keyword in lower case."""
    flags: tuple[str, ...] = ()
    """The flags as written, without quotes: ``--from=x``."""

    def __str__(self) -> str:
        """Return the line as BuildKit's parser prints it: ``run ["--mount=x"] "true"``."""
        flags = f" [{' '.join(quoted(flag) for flag in self.flags)}]" if self.flags else ""
        child = f" ({self.child})" if self.child else ""
        return self.keyword + flags + child + "".join(f" {quoted(text)}" for text in self.values)


@dataclass(frozen=True)
class Node:
    """One logical line."""

    words: Words
    heredocs: tuple[Heredoc, ...]
    span: Span
    original: str
    """The whole line: continuations joined, without the bodies of here-documents."""


def tree(text: bytes, *, name: str = "Dockerfile") -> tuple[Node, ...]:
    r"""Return one node a logical line. Raises DockerfileError where BuildKit's parser does.

    >>> str(tree(b'FROM a\nCMD ["x", "y"]')[1].words)
    'cmd "x" "y"'
    """
    return nodes_of(lex(text, name=name))


def nodes_of(source: Source) -> tuple[Node, ...]:
    """Return the nodes of lexed lines. Raises DockerfileError for a line without a valid shape."""
    nodes = []
    for line in source.lines:
        try:
            words = words_of(split_line(line.text), source.directives.escape)
        except LanguageError as exc:
            raise DockerfileError(
                exc.message, name=source.name, text=source.text, span=line.span
            ) from exc
        nodes.append(Node(words, line.heredocs, line.span, line.text.strip(SPACES)))
    return tuple(nodes)


def words_of(split: Split, escape: str) -> Words:
    """Return the words of a split line. Raises ArgumentError if its shape is invalid."""
    keyword, rest = split.keyword.lower(), split.rest
    child = None
    values: tuple[str, ...] = ()
    json = False
    if keyword == "onbuild":
        child = words_of(split_line(rest), escape) if rest else None
    elif not rest:
        pass
    elif keyword in ("env", "label"):
        found = pairs(rest, split.keyword.upper(), escape)
        values = tuple(text for p in found for text in (p.key, p.value, "" if p.spaced else "="))
    elif keyword == "arg":
        values = tuple(quoted_words(rest, escape))
    elif keyword in _TEXTS:
        values = (rest,)
    elif keyword in _SPACED:
        values = spaced_words(rest)
    elif keyword in _COMMANDS or keyword in _LISTS:
        values, json = _maybe_json(rest, whole=keyword in _COMMANDS)
    elif keyword == "healthcheck":
        kind, command = first_word(rest)
        values, json = _maybe_json(command, whole=True) if command else ((), False)
        values = (kind, *values)
    return Words(values, json, child, keyword, split.flags)


def _maybe_json(rest: str, *, whole: bool) -> tuple[tuple[str, ...], bool]:
    found = json_words(rest)
    if found is not None:
        return found, True
    return ((rest,) if whole else spaced_words(rest)), False

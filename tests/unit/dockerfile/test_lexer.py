# SPDX-License-Identifier: MIT
"""Logical lines of a Dockerfile: directives, continuations, comments, here-documents."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.lexer import heredocs_of, lex, parse_heredoc


def texts(content: str) -> list[str]:
    return [line.text for line in lex(content.encode(), name="Dockerfile").lines]


def spans(content: str) -> list[str]:
    return [str(line.span) for line in lex(content.encode(), name="Dockerfile").lines]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("FROM a\n", ["FROM a"]),
        ("FROM a", ["FROM a"]),
        ("  \t FROM a\n", ["FROM a"]),
        ("FROM a\r\nRUN b\r\n", ["FROM a", "RUN b"]),
        ("\ufeffFROM a\n", ["FROM a"]),
        ("# comment\n\n\nFROM a\n# end", ["FROM a"]),
        ("RUN a \\\nb\n", ["RUN a b"]),
        ("RUN a \\ \t\nb\n", ["RUN a b"]),
        ("RUN a \\\r\nb\r\n", ["RUN a b"]),
        ("RUN a \\\n   b\n", ["RUN a    b"]),
        ("RUN a \\\n# comment\nb\n", ["RUN a b"]),
        ("RUN a \\\n   # indented comment\n b\n", ["RUN a  b"]),
        ("RUN a \\\n# comment that ends in \\\nb\n", ["RUN a b"]),
        ("RUN a \\\n\n\nb\n", ["RUN a b"]),
        ("RUN a \\\n", ["RUN a "]),
        ("RUN a \\\\\nRUN b\n", ["RUN a \\\\", "RUN b"]),
        ("RUN a # no comment\n", ["RUN a # no comment"]),
        ("RUN a\\\nb\\\nc\n", ["RUN abc"]),
        ("RUN a \\\n\\\nb\n", ["RUN a b"]),
        ("# escape=`\nRUN a `\nb\n", ["RUN a b"]),
        ("# escape=`\nRUN a \\\nRUN b\n", ["RUN a \\", "RUN b"]),
        ("RUN a `\nRUN b\n", ["RUN a `", "RUN b"]),
    ],
)
def test_physical_lines_are_joined_into_logical_ones(content: str, expected: list[str]) -> None:
    assert texts(content) == expected


def test_a_span_covers_the_continuations_and_the_here_document() -> None:
    content = "FROM a\nRUN b \\\n\n  c\nCOPY <<E /\nx\nE\nRUN d\n"
    assert spans(content) == ["1", "2-4", "5-7", "8"]


def test_a_blank_line_in_a_continuation_is_remembered() -> None:
    lines = lex(b"FROM a\nRUN b \\\n\nc\nRUN d \\\n# e\nf\n", name="Dockerfile").lines
    assert [line.empty_continuation for line in lines] == [False, True, False]


def test_comments_directly_above_belong_to_the_instruction() -> None:
    lines = lex(b"# one\n# two\nFROM a\n# gone\n\nRUN b\n# gone\n#\nRUN c\n", name="D").lines
    assert [line.comments for line in lines] == [("one", "two"), (), ()]


@pytest.mark.parametrize(
    ("content", "syntax", "escape", "check"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1", "\\", None),
        ("#syntax=a\n#escape=`\n#check=skip=all\nFROM a", "a", "`", "skip=all"),
        ("# SYNTAX = a --flag\n#  Escape =  ` \nFROM a", "a", "`", None),
        ("# unknown=1\n# escape=`\nFROM a", None, "\\", None),
        ("# a comment\n# escape=`\nFROM a", None, "\\", None),
        ("\n# escape=`\nFROM a", None, "\\", None),
        ("FROM a\n# escape=`\n", None, "\\", None),
        ("#!/usr/bin/env docker\n# check=error=true\nFROM a", None, "\\", "error=true"),
        ("\ufeff# escape=`\nFROM a", None, "`", None),
        ("# check=skip=A;error=true\r\nFROM a", None, "\\", "skip=A;error=true"),
        ("# check = skip=A, B # why\nFROM a", None, "\\", "skip=A,"),
    ],
)
def test_only_the_first_comments_are_directives(
    content: str, syntax: str | None, escape: str, check: str | None
) -> None:
    found = lex(content.encode(), name="Dockerfile").directives
    assert (found.syntax, found.escape, found.check) == (syntax, escape, check)


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        ("", "the Dockerfile cannot be empty", None),
        ("\n# only comments\n", "file with no instructions", None),
        ("# escape=\\\n# escape=`\nFROM a", "only one escape parser directive can be used", 2),
        ("# syntax=a\n# Syntax=b\nFROM a", "only one syntax parser directive can be used", 2),
        ("# escape=`\u00a0\nFROM a", "invalid escape token '`\u00a0' does not match", 1),
        ("# escape=x\nFROM a", "invalid escape token 'x' does not match ` or \\", 1),
        ("FROM a\nRUN <<E\nfoo\n", "unterminated heredoc", 2),
        ("FROM a\nRUN x\0y\n", "the line contains bytes that are not UTF-8 text", 2),
        (f"FROM a\nLABEL a={'x' * 65536}\n", "dockerfile line greater than max allowed size", 2),
    ],
)
def test_an_error_names_its_line(content: str, reason: str, line: int | None) -> None:
    with pytest.raises(DockerfileError) as caught:
        lex(content.encode(), name="Dockerfile")
    assert reason in caught.value.reason
    assert (caught.value.span.first if caught.value.span else None) == line


def test_bytes_that_are_not_utf_8_are_only_allowed_in_comments_and_copied_files() -> None:
    assert len(lex(b"# \xff\nFROM a\nCOPY <<E /\n\xff\nE\n", name="D").lines) == 2
    with pytest.raises(DockerfileError, match="not UTF-8"):
        lex(b"FROM a\nRUN \xff\n", name="D")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("RUN <<EOF", ["EOF"]),
        ("RUN <<-EOF", ["EOF"]),
        ("RUN << EOF", ["EOF"]),
        ("RUN <<  EOF  > foo", ["EOF"]),
        ("RUN <<- EOF", []),
        ("RUN << -EOF", ["-EOF"]),
        ("RUN 4<<EOF", ["EOF"]),
        ("RUN <<'one two'", ["one two"]),
        ("RUN <<eo'f'", ["eof"]),
        ("RUN <<eo\\'f", ["eo'f"]),
        ("RUN <<$EOF", ["$EOF"]),
        ("RUN <<EOF <<EOF2", ["EOF", "EOF2"]),
        ("RUN cat <<EOF | grep x <<-'B'", ["EOF", "B"]),
        ("RUN '<<EOF'", []),
        ('RUN "<<EOF"', []),
        ("RUN <<<EOF", []),
        ("RUN a <<", []),
        ("RUN echo 'unfinished <<EOF", []),
        ("RUN echo $((1<<2))", []),
    ],
)
def test_the_here_documents_of_a_line_are_found(line: str, names: list[str]) -> None:
    assert [heredoc.name for heredoc in heredocs_of(line)] == names


@pytest.mark.parametrize(
    ("word", "expand", "tabs", "descriptor"),
    [
        ("<<EOF", True, False, 0),
        ("<<-EOF", True, True, 0),
        ("<<'EOF'", False, False, 0),
        ('3<<-"EOF"', False, True, 3),
        ("<<E'O'F", False, False, 0),
        ("<<'E'OF", False, False, 0),
    ],
)
def test_quotes_in_the_name_turn_off_variables(
    word: str, expand: bool, tabs: bool, descriptor: int
) -> None:
    found = parse_heredoc(word)
    assert found is not None
    assert (found.name, found.expand, found.strip_tabs) == ("EOF", expand, tabs)
    assert found.descriptor == descriptor


@pytest.mark.parametrize("word", ["", "EOF", "<<", "<<-", "<EOF", "<<<EOF", "<<EOF sh", "<<''"])
def test_other_words_do_not_begin_a_here_document(word: str) -> None:
    assert parse_heredoc(word) is None


def bodies(content: str) -> list[list[str]]:
    lines = lex(content.encode(), name="Dockerfile").lines
    return [[heredoc.content for heredoc in line.heredocs] for line in lines]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("RUN <<E\na\nb\nE\n", [["a\nb\n"]]),
        ("RUN <<E\nE\n", [[""]]),
        ("RUN <<-E\n\ta\n\tE\n", [["\ta\n"]]),
        ("RUN <<E\n\tE\nE\n", [["\tE\n"]]),
        ("COPY <<A <<B /d\nB\nA\nA\nB\n", [["B\n", "A\n"]]),
        ("RUN <<E\n# no comment\nFROM x \\\nE\n", [["# no comment\nFROM x \\\n"]]),
        ("RUN <<E\r\na\r\nE\r\nRUN b\r\n", [["a\r\n"], []]),
        ("ONBUILD RUN <<E\na\nE\n", [["a\n"]]),
        ("ADD <<E /x\na\nE", [["a\n"]]),
        ("USER <<E\nRUN b\n", [[], []]),
        ('RUN ["<<E"]\nRUN b\n', [[], []]),
        ("RUN --mount=type=cache,target=/a <<E\na\nE\n", [["a\n"]]),
    ],
)
def test_bodies_of_here_documents_are_unchanged(content: str, expected: list[list[str]]) -> None:
    assert bodies(content) == expected

# SPDX-License-Identifier: MIT
"""Errors show the lines of the Dockerfile that cause them."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.errors import DockerfileError, LanguageError, located, snippet
from sandbox.dockerfile.instructions import Span
from sandbox.dockerfile.parser import parse

TEXT = "FROM a\nRUN b\n  COPY c d\nRUN e\nRUN f\n"


def test_the_line_is_shown_between_its_neighbors_with_a_caret() -> None:
    assert snippet(TEXT, Span(3, 3), name="Dockerfile").splitlines() == [
        "Dockerfile:3",
        "-" * 20,
        "   1 |     FROM a",
        "   2 |     RUN b",
        "   3 | >>>   COPY c d",
        "     |       ^~~~~~~~",
        "   4 |     RUN e",
        "   5 |     RUN f",
        "-" * 20,
    ]


def test_the_beginning_of_a_long_instruction_is_shown() -> None:
    text = "RUN a \\\n" * 40 + "b\n"
    shown = snippet(text, Span(1, 41), name="x").splitlines()
    assert len(shown) < 20
    assert shown[2].endswith("RUN a \\")


def test_line_numbers_beyond_the_file_are_accepted() -> None:
    assert snippet("FROM a", Span(9, 12), name="x").startswith("x:9\n")


def test_the_message_names_file_and_line() -> None:
    error = DockerfileError("unknown flag", name="D", text=TEXT, span=Span(2, 2))
    assert error.message.startswith("D:2: unknown flag\n")
    assert error.snippet in error.message
    assert DockerfileError("no file").message == "no file"


def test_an_error_without_a_line_gets_the_instructions_line() -> None:
    file = parse(b"FROM a\nRUN b\n")
    with pytest.raises(DockerfileError) as caught, located(file, Span(2, 2)):
        raise LanguageError("bad word")
    assert (caught.value.reason, caught.value.span) == ("bad word", Span(2, 2))

# SPDX-License-Identifier: MIT
"""Warnings, and the comments that turn them off."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.instructions import Span
from sandbox.dockerfile.lint_rules import CheckOptions
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.warnings import Checked, Warner
from sandbox.dockerfile.warnings import Warning as Warned


def warned(comment: str, options: CheckOptions | None = None) -> list[str]:
    file = parse(f"FROM a\n{comment}\nENV x y\n".encode())
    warner = Warner(file, options or CheckOptions())
    warner.warn("LegacyKeyValueFormat", "old", file.stages[0].instructions[0])
    return [str(item) for item in warner.found]


def test_a_warning_shows_its_rule_and_line() -> None:
    assert warned("# a comment") == ["LegacyKeyValueFormat: old (line 3)"]


def test_a_comment_above_an_instruction_skips_a_rule_for_it() -> None:
    assert warned("# check=skip=LegacyKeyValueFormat") == []
    assert warned("# check=skip=Other") != []


def test_a_rule_that_the_file_skips_is_skipped() -> None:
    assert warned("# x", CheckOptions(skip_all=True)) == []


def test_an_invalid_skip_comment_is_an_error_at_its_instruction() -> None:
    with pytest.raises(DockerfileError) as caught:
        warned("# check=nonsense")
    assert caught.value.span == Span(3, 3)


def test_warnings_that_are_errors_are_listed_by_rule() -> None:
    found = tuple(Warned(rule, "x", Span(1, 1)) for rule in ("B", "A", "B"))
    assert Checked(found, fails=True).summary == "lint violation found for rules: A, B"

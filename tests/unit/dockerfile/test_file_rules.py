# SPDX-License-Identifier: MIT
"""Rules about the file as a whole, one at a time (test_lint has them together)."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.file_rules import FileRules
from sandbox.dockerfile.lint_rules import CheckOptions
from sandbox.dockerfile.parser import parse


def warned(text: str, options: CheckOptions | None = None) -> list[str]:
    rules = FileRules(parse(text.encode()), options or CheckOptions())
    rules.written()
    rules.names()
    return sorted(f"{item.rule} {item.span.first}" for item in rules.found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM a\nRUN b\n", []),
        ("FROM a AS Big\n", ["StageNameCasing 1"]),
        ("FROM a as b\n", ["FromAsCasing 1"]),
        ("FROM a AS b\nFROM a AS b\n", ["DuplicateStageName 2"]),
        ("FROM a AS scratch\n", ["ReservedStageName 1"]),
        ("FROM a\nMAINTAINER me\n", ["MaintainerDeprecated 2"]),
        ("FROM a\nRUN b \\\n\n  c\n", ["NoEmptyContinuation 4"]),
    ],
)
def test_a_violation_is_found_at_its_line(text: str, found: list[str]) -> None:
    assert warned(text) == found


def test_what_is_skipped_is_not_told() -> None:
    assert warned("FROM a AS Big\n", CheckOptions(skip_all=True)) == []

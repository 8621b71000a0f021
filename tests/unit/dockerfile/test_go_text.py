# SPDX-License-Identifier: MIT
"""Texts as Go's standard library parses and prints them."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.go_text import did_you_mean, duration, quoted, suggestion

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("1s", SECOND),
        ("-1s", -SECOND),
        ("+1.5h", 5400 * SECOND),
        ("1h2m3s4ms5us6ns", 3723 * SECOND + 4_005_006),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("3µs", 3000),
        ("2562047h47m16.854775807s", 2**63 - 1),
    ],
)
def test_durations_are_parsed_as_by_go(text: str, nanoseconds: int) -> None:
    assert duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'invalid duration ""'),
        ("1", 'missing unit in duration "1"'),
        ("1x", 'unknown unit "x" in duration "1x"'),
        ("s", 'invalid duration "s"'),
        ("1s 2s", "invalid duration"),
        ("2562047h47m16.854775808s", "invalid duration"),
        ("9" * 40 + "s", "duration"),
    ],
)
def test_an_invalid_duration_gives_gos_error_message(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="time: ") as caught:
        duration(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", '"plain é"'),
        ('"\\\n\t', '"\\"\\\\\\n\\t"'),
        ("\x01\x7f", '"\\x01\\x7f"'),
        ("\u200b", '"\\u200b"'),
        ("\U000e0001", '"\\U000e0001"'),
        ("\udcff", '"\\xff"'),
    ],
)
def test_texts_are_quoted_as_by_go(text: str, shown: str) -> None:
    assert quoted(text) == shown


@pytest.mark.parametrize(
    ("word", "found"),
    [("cpoy", "copy"), ("copy", ""), ("xyz", ""), ("cop", "copy"), ("runn", "run")],
)
def test_a_similar_word_is_suggested(word: str, found: str) -> None:
    assert suggestion(word, ["copy", "run", "label"]) == found


def test_a_suggestion_has_the_case_of_the_word() -> None:
    assert did_you_mean("unknown", "CPOY", ["copy"], case_sensitive=False) == (
        "unknown (did you mean COPY?)"
    )
    assert did_you_mean("unknown", "zzz", ["copy"]) == "unknown"

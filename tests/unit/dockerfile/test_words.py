# SPDX-License-Identifier: MIT
"""The words of one logical line."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.words import (
    ArgumentError,
    first_word,
    json_words,
    pairs,
    quoted_words,
    spaced_words,
    split_line,
)


@pytest.mark.parametrize(
    ("line", "keyword", "flags", "rest"),
    [
        ("  RUN   a b ", "RUN", (), "a b"),
        ("RUN", "RUN", (), ""),
        ("RUN --a=b --c d", "RUN", ("--a=b", "--c"), "d"),
        ('RUN --a="b c" d', "RUN", ("--a=b c",), "d"),
        ("RUN --a=b\\ c d", "RUN", ("--a=b c",), "d"),
        ("RUN -- --a", "RUN", (), "--a"),
        ("RUN --a", "RUN", ("--a",), ""),
    ],
)
def test_a_line_is_a_keyword_flags_and_the_rest(
    line: str, keyword: str, flags: tuple[str, ...], rest: str
) -> None:
    found = split_line(line)
    assert (found.keyword, found.flags, found.rest) == (keyword, flags, rest)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b", ["a", "b"]),
        ("'a b' c", ["'a b'", "c"]),
        ('"a \\" b" c', ['"a \\" b"', "c"]),
        ("a\\ b c", ["a\\ b", "c"]),
        ("''", ["''"]),
        ("  ", []),
        ("'a\\' b", ["'a\\'", "b"]),
    ],
)
def test_quotes_keep_words_together_and_stay(text: str, words: list[str]) -> None:
    assert quoted_words(text, "\\") == words


def test_the_escape_can_be_another() -> None:
    assert quoted_words("a` b\\ c", "`") == ["a` b\\", "c"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["a", "b c"]', ("a", "b c")),
        ("[]", ()),
        ("a", None),
        ("[a]", None),
        ('["a"] x', None),
        ("[" * 100_000, None),
    ],
)
def test_an_array_is_one_only_if_it_is_nothing_else(
    text: str, words: tuple[str, ...] | None
) -> None:
    assert json_words(text) == words


def test_an_array_of_anything_but_strings_is_refused() -> None:
    with pytest.raises(ArgumentError, match="comprised of strings only"):
        json_words("[1]")


def test_pairs_come_with_equals_signs_or_in_the_old_form() -> None:
    assert [(p.key, p.value, p.spaced) for p in pairs("a=1 b='2 3'", "ENV", "\\")] == [
        ("a", "1", False),
        ("b", "'2 3'", False),
    ]
    assert [(p.key, p.value, p.spaced) for p in pairs("a 1 b=2", "ENV", "\\")] == [
        ("a", "1 b=2", True)
    ]
    with pytest.raises(ArgumentError, match="ENV must have two arguments"):
        pairs("a", "ENV", "\\")
    with pytest.raises(ArgumentError, match='find = in "b"'):
        pairs("a=1 b", "ENV", "\\")


def test_the_first_word_ends_at_a_blank() -> None:
    assert first_word("CMD  curl x") == ("CMD", "curl x")
    assert first_word("NONE") == ("NONE", "")


def test_without_quotes_only_blanks_count() -> None:
    assert spaced_words("a 'b  c'") == ("a", "'b", "c'")
    assert spaced_words("") == ()

# SPDX-License-Identifier: MIT
"""The words of a logical line."""

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
def test_a_line_is_split_into_keyword_flags_and_rest(
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
def test_quotes_keep_words_together_and_are_kept(text: str, words: list[str]) -> None:
    assert quoted_words(text, "\\") == words


def test_the_escape_character_may_be_changed() -> None:
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
def test_only_a_complete_json_array_is_an_array(text: str, words: tuple[str, ...] | None) -> None:
    assert json_words(text) == words


def test_an_array_may_only_hold_strings() -> None:
    with pytest.raises(ArgumentError, match="comprised of strings only"):
        json_words("[1]")


def test_pairs_may_have_equals_signs_or_the_old_form() -> None:
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


def test_unquoted_words_are_split_at_blanks() -> None:
    assert spaced_words("a 'b  c'") == ("a", "'b", "c'")
    assert spaced_words("") == ()

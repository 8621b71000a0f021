# SPDX-License-Identifier: MIT
"""Expansion of variables and quotes in words."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.expand import (
    ExpansionError,
    Style,
    expand,
    expand_heredoc,
    expand_words,
    expansion,
)

VARIABLES = {
    "A": "abc",
    "EMPTY": "",
    "_x1": "under",
    "PATHS": "/usr/lib/lib.tar.gz",
    "STARS": "a***yy*",
    "KOREAN": "한국어",
    "SPACED": "a b  c",
    "DOTS": "/foo*/*/*.txt",
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$A", "abc"),
        ("${A}", "abc"),
        ("$A.x", "abc.x"),
        ("$Ax", ""),
        ("${A}x", "abcx"),
        ("$_x1-$A", "under-abc"),
        ("$KOREAN", "한국어"),
        ("$NONE|${NONE}", "|"),
        ("$", "$"),
        ("a$", "a$"),
        ("$%", "$%"),
        ("$1x", "x"),
        ("$12x", "x"),
        ("$A\u00b2", "abc\u00b2"),
        ("$$", ""),
        ("$@$*$#$?$-$!", ""),
        # quotes
        ("'$A'", "$A"),
        ('"$A"', "abc"),
        ("\"'$A'\"", "'abc'"),
        ("'\"$A\"'", '"$A"'),
        ('a"b c"d', "ab cd"),
        ("a'b\\c'd", "ab\\cd"),
        ('"a\\"b"', 'a"b'),
        ('"a\\$A"', "a$A"),
        ('"a\\\\b"', "a\\b"),
        ('"a\\nb"', "a\\nb"),
        ("''", ""),
        # escapes
        ("\\$A", "$A"),
        ("\\\\$A", "\\abc"),
        ("a\\ b", "a b"),
        ("a\\nb", "anb"),
        ("a\\", "a"),
        ("\\'$A\\'", "'abc'"),
        # defaults and alternatives
        ("${A:-x}", "abc"),
        ("${EMPTY:-x}", "x"),
        ("${NONE:-x}", "x"),
        ("${A-x}", "abc"),
        ("${EMPTY-x}", ""),
        ("${NONE-x}", "x"),
        ("${NONE:-}", ""),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${NONE:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NONE+x}", ""),
        ("${A:?no}", "abc"),
        ("${EMPTY?no}", ""),
        ("${NONE:-$A}", "abc"),
        ("${NONE:-${EMPTY:-deep}}", "deep"),
        ("${NONE:-'a b'}", "a b"),
        ('${NONE:-"$A b"}', "abc b"),
        ("${NONE:-a\\}b}", "a}b"),
        ("${NONE:-a:b}", "a:b"),
        # trimming
        ("${PATHS#*/}", "usr/lib/lib.tar.gz"),
        ("${PATHS##*/}", "lib.tar.gz"),
        ("${PATHS%.*}", "/usr/lib/lib.tar"),
        ("${PATHS%%.*}", "/usr/lib/lib"),
        ("${PATHS#/usr}", "/lib/lib.tar.gz"),
        ("${PATHS#usr}", "/usr/lib/lib.tar.gz"),
        ("${PATHS%gz?}", "/usr/lib/lib.tar.gz"),
        ("${PATHS#?u}", "sr/lib/lib.tar.gz"),
        ("${A#}", "abc"),
        ("${A##}", "abc"),
        ("${A%}", "abc"),
        ("${A#*}", "abc"),
        ("${A##*}", ""),
        ("${A%%*}", ""),
        ("${STARS%%\\**\\*}", "a"),
        ("${STARS%\\*}", "a***yy"),
        ("${NONE#x}", ""),
        ("${A#$EMPTY}", "abc"),
        ("${A#${A%c}}", "c"),
        # replacing
        ("${PATHS/lib/x}", "/usr/x/lib.tar.gz"),
        ("${PATHS//lib/x}", "/usr/x/x.tar.gz"),
        ("${PATHS//lib/}", "/usr//.tar.gz"),
        ("${PATHS/l*./-}", "/usr/-gz"),
        ("${A/$EMPTY/w}", "wabc"),
        ("${A/?/x}", "xbc"),
        ("${A//?/x}", "xxx"),
        ("${DOTS/\\*\\//.}", "/foo.*/*.txt"),
        ("${DOTS//\\*\\//.}", "/foo..*.txt"),
        ("${A/b/$A}", "aabcc"),
        ("${A///}", "abc"),
        ("${NONE/a/b}", ""),
        ("${A/\\?/x}", "abc"),
    ],
)
def test_a_word_is_expanded_as_by_docker(word: str, expected: str) -> None:
    assert expand(word, VARIABLES) == expected


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("${", "syntax error: missing '}'"),
        ("${A", "unsupported modifier () in substitution"),
        ("${}", "syntax error: bad substitution"),
        ("${:x}", "syntax error: bad substitution"),
        ("${{A}}", "syntax error: bad substitution"),
        ("${A:-x", "syntax error: missing '}'"),
        ("${A:x}", "unsupported modifier (:x) in substitution"),
        ("${A=x}", "unsupported modifier (=) in substitution"),
        ("${A!x}", "unsupported modifier (!) in substitution"),
        ("${A/x}", "syntax error: missing '/' in ${}"),
        ("${A//x}", "syntax error: missing '/' in ${}"),
        ("${A/x/y", "syntax error: missing '}'"),
        ("${A#\\x}", "invalid pattern (\\x) in substitution: invalid escape '\\x'"),
        ("'a", "unexpected end of statement while looking for matching single-quote"),
        ('"a', "unexpected end of statement while looking for matching double-quote"),
        ("${NONE?}", "NONE: is not allowed to be unset"),
        ("${NONE:?is needed$A}", "NONE: is neededabc"),
        ("${EMPTY:?}", "EMPTY: is not allowed to be empty"),
        ("${X:-" * 80 + "}" * 80, "substitutions are nested too deeply"),
    ],
)
def test_an_invalid_word_is_refused(word: str, reason: str) -> None:
    with pytest.raises(ExpansionError) as caught:
        expand(word, VARIABLES)
    assert caught.value.message.endswith(reason)
    assert caught.value.message.startswith("failed to process ")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a b", ("a", "b")),
        ("  a \t b ", ("a", "b")),
        ("'a b' c", ("a b", "c")),
        ("$SPACED", ("a", "b", "c")),
        ('"$SPACED"', ("a b  c",)),
        ("x$SPACED", ("xa", "b", "c")),
        ("a\\ b", ("a b",)),
        ("", ()),
    ],
)
def test_words_are_split_after_variables_are_expanded(word: str, expected: object) -> None:
    assert expand_words(word, VARIABLES) == expected


def test_the_escape_character_can_be_a_backtick() -> None:
    assert expand("C:\\$A`$A", VARIABLES, escape="`") == "C:\\abc$A"


def test_a_here_document_keeps_its_quotes() -> None:
    text = "a='$A' \"$A\" \\$A\n"
    assert expand_heredoc(text, VARIABLES) == "a='abc' \"abc\" $A\n"


def test_an_unset_variable_can_stay_as_it_was_written() -> None:
    style = Style(keep_unset=True, raw_quotes=True, raw_escapes=True)
    word = "'a' \"$X\" \\b ${Y} ${Z:-q} ${Z/a/b}"
    assert expansion(word, {}, style).text == word


def test_the_variables_of_a_word_are_listed() -> None:
    found = expansion("${A-x} ${EMPTY} ${NONE:-$OTHER}", VARIABLES, Style())
    assert found.used == {"A", "EMPTY"}
    assert found.unknown == {"NONE", "OTHER"}

# SPDX-License-Identifier: MIT
"""Shell patterns in ${name#pattern}, ${name%pattern} and ${name/pattern/text}."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dockerfile.shell_patterns import substitute, trim_prefix, trim_suffix

TEXT = st.text("ab/", max_size=12)
PATTERN = st.text("ab/*?", max_size=6)


def expression(pattern: str, *, longest: bool) -> str:
    star = ".*" if longest else ".*?"
    return "".join(star if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)


@given(PATTERN, TEXT, st.booleans())
def test_a_prefix_pattern_matches_like_a_regular_expression(
    pattern: str, value: str, longest: bool
) -> None:
    match = re.match(expression(pattern, longest=longest), value)
    expected = value[match.end() :] if match else value
    assert trim_prefix(pattern, value, longest=longest) == expected


@given(PATTERN, TEXT, st.booleans())
def test_a_suffix_pattern_matches_like_a_prefix_of_the_reversed_text(
    pattern: str, value: str, longest: bool
) -> None:
    turned = trim_prefix(pattern[::-1], value[::-1], longest=longest)
    assert trim_suffix(pattern, value, longest=longest) == turned[::-1]


@given(PATTERN, TEXT)
def test_the_first_match_is_replaced(pattern: str, value: str) -> None:
    expected = re.sub(expression(pattern, longest=True), "-", value, count=1)
    assert substitute(pattern, value, "-", everywhere=False) == expected


@pytest.mark.parametrize("pattern", ["\\", "\\x", "a\\b"])
def test_an_escape_of_an_ordinary_character_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="invalid escape"):
        trim_prefix(pattern, "abc", longest=False)


def test_many_stars_do_not_make_matching_slow() -> None:
    before = time.process_time()
    trim_prefix("*a" * 200 + "b", "a" * 5000, longest=True)
    assert time.process_time() - before < 5

# SPDX-License-Identifier: MIT
"""Flags of an instruction."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.flags import Known, parse_flags
from sandbox.dockerfile.words import ArgumentError

KNOWN = Known(texts=("from", "chown"), switches=("link",), lists=("exclude",))


def test_flags_are_parsed_by_their_type() -> None:
    given = parse_flags(["--from=a=b", "--link", "--exclude=x", "--exclude=y"], KNOWN)
    assert (given.text("from"), given.text("chown")) == ("a=b", "")
    assert given.switch("link") is True
    assert given.list("exclude") == ("x", "y")


@pytest.mark.parametrize(("flag", "value"), [("--link=FALSE", False), ("--link=True", True)])
def test_a_boolean_flag_may_have_a_value(flag: str, value: bool) -> None:
    assert parse_flags([flag], KNOWN).switch("link") is value
    assert parse_flags([], KNOWN).switch("link") is None


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--form=a"], "unknown flag: --form (did you mean from?)"),
        (["--zzzzzz"], "unknown flag: --zzzzzz"),
        (["--from=a", "--from=b"], "duplicate flag specified: --from"),
        (["--from"], "missing a value on flag: --from"),
        (["--link="], "missing a value on flag: --link"),
        (["--link=maybe"], "expecting boolean value for flag --link, not: maybe"),
    ],
)
def test_an_invalid_flag_gives_buildkits_error_message(flags: list[str], words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_flags(flags, KNOWN)
    assert caught.value.message == words

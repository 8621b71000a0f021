# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.registry.challenge import Challenge, parse_challenges

CASES: dict[str, list[Challenge]] = {
    "": [],
    "Basic": [Challenge("basic")],
    'Basic realm="a b"': [Challenge("basic", {"realm": "a b"})],
    'BEARER Realm="https://x/t" , Service=r,scope="a b,c"': [
        Challenge("bearer", {"realm": "https://x/t", "service": "r", "scope": "a b,c"})
    ],
    'Bearer realm="a\\"b"': [Challenge("bearer", {"realm": 'a"b'})],
    'Negotiate YWJj==, Basic realm="x"': [
        Challenge("negotiate"),
        Challenge("basic", {"realm": "x"}),
    ],
    'Basic realm="x", Bearer realm="y",service="z"': [
        Challenge("basic", {"realm": "x"}),
        Challenge("bearer", {"realm": "y", "service": "z"}),
    ],
    'Bearer realm="first",realm="second"': [Challenge("bearer", {"realm": "first"})],
}


@pytest.mark.parametrize(("header", "expected"), CASES.items())
def test_challenges_are_parsed(header: str, expected: list[Challenge]) -> None:
    assert parse_challenges(header) == expected


@given(st.text(st.sampled_from('Basic Beare="\\,;x/\t'), max_size=60))
def test_any_header_is_parsed(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme == challenge.scheme.lower()

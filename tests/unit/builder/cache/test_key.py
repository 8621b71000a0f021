# SPDX-License-Identifier: MIT
"""Equal keys mean equal layers."""

from __future__ import annotations

import pytest

from sandbox.builder.cache.key import key_of
from sandbox.models.digest import digest_of

ONE, TWO = digest_of(b"1"), digest_of(b"2")
KEY = key_of("RUN", (ONE, TWO), None, argv=("a", "b"), env={"x": "1", "y": "2"})


def test_the_order_in_which_facts_are_given_makes_no_difference() -> None:
    assert key_of("RUN", [ONE, TWO], None, env={"y": "2", "x": "1"}, argv=("a", "b")) == KEY


@pytest.mark.parametrize(
    "other",
    [
        key_of("COPY", (ONE, TWO), None, argv=("a", "b"), env={"x": "1", "y": "2"}),
        key_of("RUN", (TWO, ONE), None, argv=("a", "b"), env={"x": "1", "y": "2"}),
        key_of("RUN", (ONE,), None, argv=("a", "b"), env={"x": "1", "y": "2"}),
        key_of("RUN", (ONE, TWO), 0, argv=("a", "b"), env={"x": "1", "y": "2"}),
        key_of("RUN", (ONE, TWO), None, argv=("a b",), env={"x": "1", "y": "2"}),
        key_of("RUN", (ONE, TWO), None, argv=("a", "b"), env={"x": "1", "y": "3"}),
    ],
)
def test_whatever_makes_a_difference_to_the_layer_makes_one_to_the_key(other: str) -> None:
    assert other != KEY


def test_a_name_that_is_no_utf8_has_a_key() -> None:
    assert key_of("COPY", (), None, path="\udcff") != key_of("COPY", (), None, path="\udcfe")

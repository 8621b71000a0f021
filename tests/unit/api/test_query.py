# SPDX-License-Identifier: MIT
"""Query strings: many spellings are accepted, invalid values are not."""

from __future__ import annotations

import pytest

from sandbox.api import query
from sandbox.api.errors import BadRequest


@pytest.mark.parametrize("text", ["", "0", "no", "false", "none", " False ", "NONE"])
def test_these_texts_are_false(text: str) -> None:
    assert not query.truth(text)


@pytest.mark.parametrize("text", ["1", "yes", "true", "t", "2", "anything"])
def test_every_other_text_is_true(text: str) -> None:
    assert query.truth(text)


@pytest.mark.parametrize("text", ["", "a", "1.5", "0x10", str(2**63), str(-(2**63) - 1)])
def test_a_number_that_go_cannot_parse_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="invalid value for limit"):
        query.number(text, "limit")


def test_the_largest_numbers_are_accepted() -> None:
    assert query.number(str(2**63 - 1), "x") == 2**63 - 1
    assert query.number("-9223372036854775808", "x") == -(2**63)


def test_all_clients_formats_of_filters_mean_the_same() -> None:
    cli = query.filters('{"status":{"running":true,"exited":true,"paused":false}}')
    library = query.filters('{"status":["running","exited"]}')
    assert cli == library
    assert query.filters('{"dangling":true,"n":3}') == {"dangling": ["true"], "n": ["3"]}
    assert query.filters("") == {}


@pytest.mark.parametrize("text", ["{", "[]", '"a"', '{"label":null}', "[" * 100_000])
def test_filters_in_any_other_format_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="invalid filter"):
        query.filters(text)


@pytest.mark.parametrize(
    ("values", "truth"), [([], None), (["1"], True), (["True", "1"], True), (["0", "false"], False)]
)
def test_a_filter_can_be_a_flag(values: list[str], truth: bool | None) -> None:
    assert query.flag_filter({"dangling": values}, "dangling") is truth


def test_contradictory_values_of_a_flag_are_refused() -> None:
    with pytest.raises(BadRequest):
        query.flag_filter({"dangling": ["true", "false"]}, "dangling")


@pytest.mark.parametrize("text", ["yesterday", "1e300", "nan", "99999999999999"])
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        query.moment(text)

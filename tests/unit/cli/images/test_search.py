# SPDX-License-Identifier: MIT
"""Rows of ``search``, and which of them are wanted."""

from __future__ import annotations

import pytest

from sandbox.cli.images.search import _parse_filter, _search_row
from sandbox.errors import UsageError

ITEM = {"name": "a", "description": "long\n" + "x" * 60, "star_count": 7, "is_official": True}


def test_a_description_is_one_short_line() -> None:
    row = _search_row(ITEM, long=False)
    assert (len(row["Description"]), row["StarCount"], row["IsOfficial"]) == (45, "7", "[OK]")
    assert "\n" not in _search_row(ITEM, long=True)["Description"]
    assert _search_row({}, long=False) == {
        "Name": "", "Description": "", "StarCount": "0", "IsOfficial": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "passes"),
    [("stars=7", True), ("stars=8", False), ("is-official=true", True), ("is-official=0", False)],
)
def test_filters_look_at_the_row(text: str, passes: bool) -> None:
    assert _parse_filter(text)(_search_row(ITEM, long=False)) is passes


@pytest.mark.parametrize("text", ["stars", "stars=x", "color=red"])
def test_an_unknown_filter_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid filter"):
        _parse_filter(text)

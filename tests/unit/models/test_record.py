# SPDX-License-Identifier: MIT
"""Records are immutable and are replaced by changed copies."""

from __future__ import annotations

import pytest

from sandbox.models.record import Record, field, plain, replace


class Inner(Record, frozen=True):
    size: int


class Outer(Record, frozen=True):
    name: str
    inner: Inner
    tags: tuple[str, ...] = ()
    more: dict[str, int] = field(default_factory=dict)


BOX = Outer("a", Inner(1), ("x",))


def test_a_record_is_replaced_and_cannot_be_changed() -> None:
    assert replace(BOX, name="b") == Outer("b", Inner(1), ("x",))
    assert BOX.name == "a"
    with pytest.raises(AttributeError):
        BOX.name = "c"  # type: ignore[misc]


def test_records_do_not_share_default_values() -> None:
    assert Outer("a", Inner(1)).more is not Outer("a", Inner(1)).more


def test_a_record_becomes_plain_values_for_json() -> None:
    assert plain(BOX) == {"name": "a", "inner": {"size": 1}, "tags": ("x",), "more": {}}

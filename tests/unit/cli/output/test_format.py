# SPDX-License-Identifier: MIT
"""Tables, sizes, ages."""

from __future__ import annotations

import json

import pytest

from sandbox.cli.output import format as fmt
from sandbox.cli.output.format import Column
from sandbox.models import timestamps

ROWS = [
    {"ID": "1", "Name": "one", "Label": lambda key: key},
    {"ID": "22", "Name": "two", "Label": lambda key: key},
]
COLUMNS = [Column("ID", "ID"), Column("NAMES", "Name")]
HEADINGS = {"ID": "CONTAINER ID", "Name": "NAMES"}


def _render(template: str | None) -> str:
    return fmt.render(ROWS, COLUMNS, template=template, headings=HEADINGS)


@pytest.mark.parametrize("template", [None, "table"])
def test_without_a_template_there_is_a_table(template: str | None) -> None:
    assert _render(template) == "ID        NAMES\n1         one\n22        two"


def test_a_table_template_has_headings_and_aligned_columns() -> None:
    expected = "CONTAINER ID   NAMES\n1              one\n22             two"
    assert _render("table {{.ID}}\\t{{.Name}}") == expected


def test_json_has_one_object_a_line() -> None:
    lines = [json.loads(line) for line in _render("json").splitlines()]
    assert lines == [{"ID": "1", "Name": "one"}, {"ID": "22", "Name": "two"}]


def test_a_template_gives_one_line_a_row() -> None:
    assert _render('{{.ID}}:{{.Label "x"}}') == "1:x\n22:x"


def test_objects_are_shown_as_indented_json_or_by_a_template() -> None:
    assert json.loads(fmt.render_objects([{"a": 1}], None)) == [{"a": 1}]
    assert fmt.render_objects([{"a": 1}, {"a": 2}], "{{.a}}") == "1\n2"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (3600 * 5, "5 hours"),
        (3600 * 47, "47 hours"),
        (3600 * 48, "2 days"),
        (86400 * 13, "13 days"),
        (86400 * 14, "2 weeks"),
        (86400 * 59, "8 weeks"),
        (86400 * 60, "2 months"),
        (86400 * 365 * 2, "2 years"),
    ],
)
def test_durations_are_rounded_as_in_docker(seconds: int, text: str) -> None:
    assert timestamps.human_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (1234567, "1.23MB"), (10**9, "1GB")],
)
def test_sizes_are_decimal_with_three_digits(size: int, text: str) -> None:
    assert fmt.human_size(size) == text


def test_a_time_one_second_ago_has_the_age_of_one_second() -> None:
    assert timestamps.seconds_since("1970-01-01T00:00:01.000000000Z", 2.0) == 1.0

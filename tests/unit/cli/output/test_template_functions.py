# SPDX-License-Identifier: MIT
"""The functions of ``--format`` behave as Go's."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cli.output.template_functions import (
    FUNCTIONS,
    Struct,
    TemplateError,
    is_true,
    printf,
    show,
    to_json,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (True, "true"),
        (1.0, "1"),
        (0.1, "0.1"),
        ("a b", "a b"),
        ([], "[]"),
        (["a", ["b"]], "[a [b]]"),
        ({"b": 1, "a": None}, "map[a:<nil> b:1]"),
        (Struct(b=1, a="x"), "{1 x}"),
    ],
)
def test_values_are_shown_as_with_percent_v(value: Any, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize("value", [0, "", None, [], {}, False])
def test_what_is_empty_is_false_but_a_struct_never_is(value: Any) -> None:
    assert not is_true(value)
    assert is_true(Struct())


@pytest.mark.parametrize(
    ("template", "arguments", "text"),
    [
        ("%s %%", ("a",), "a %"),
        ("%5s|%-5s|", ("a", "b"), "    a|b    |"),
        ("%05d", (42,), "00042"),
        ("%x %X %o %b", (255, 255, 8, 5), "ff FF 10 101"),
        ("%x", ("hi",), "6869"),
        ("%.2f", (1.5,), "1.50"),
        ("%.2s", ("abc",), "ab"),
        ("%t %c", (True, 65), "true A"),
        ("%q", ('a"b',), '"a\\"b"'),
        ("%d", (), "%!d(MISSING)"),
        ("%d", ("x",), "%!d(x)"),
        ("a", (1, 2), "a%!(EXTRA 1, 2)"),
    ],
)
def test_printf_is_gos(template: str, arguments: tuple[Any, ...], text: str) -> None:
    assert printf(template, *arguments) == text


def test_json_is_compact_and_keeps_the_order() -> None:
    assert to_json({"b": "é", "a": [1, None]}) == '{"b":"é","a":[1,null]}'


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("eq", (1, 2, 1), True),
        ("eq", (1, True), False),
        ("ne", ("a", "b"), True),
        ("index", ({"a": [1, 2]}, "a", 1), 2),
        ("index", ({}, "a"), None),
        ("slice", ("abcd", 1, 3), "bc"),
        ("print", (1, 2, "a", 3), "1 2a3"),
        ("join", (None, ","), ""),
        ("split", ("a,b", ","), ["a", "b"]),
        ("title", ("hello wide world",), "Hello Wide World"),
        ("pad", ("x", 1, 2), " x  "),
        ("truncate", ("abc", 10), "abc"),
    ],
)
def test_functions_give_what_gos_give(name: str, arguments: tuple[Any, ...], value: Any) -> None:
    assert FUNCTIONS[name](*arguments) == value


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("eq", (1,), "missing argument"),
        ("index", ([1], 5), "out of range"),
        ("index", (None, 1), "untyped nil"),
        ("index", (3, 1), "can't index 3"),
    ],
)
def test_a_wrong_argument_is_a_template_error(
    name: str, arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(TemplateError, match=words):
        FUNCTIONS[name](*arguments)

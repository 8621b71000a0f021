# SPDX-License-Identifier: MIT
"""Arguments that several instructions share."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from tests.unit.dockerfile.parsed import fields, refusal


@pytest.mark.parametrize("keyword", ["RUN", "CMD", "ENTRYPOINT"])
@pytest.mark.parametrize(
    ("rest", "words", "shell"),
    [
        ("echo a  b", ("echo a  b",), True),
        ('["echo", "a b"]', ("echo", "a b"), False),
        ('  [ "a" ,\t"b" ]  ', ("a", "b"), False),
        ("[]", (), False),
        ('["\\u00e9\\n"]', ("é\n",), False),
        ("[ -f x ] && y", ("[ -f x ] && y",), True),
        ("['a']", ("['a']",), True),
        ('["a"', ('["a"',), True),
        ('["a",]', ('["a",]',), True),
        ("[NaN]", ("[NaN]",), True),
        ('["a"] trailing', ('["a"] trailing',), True),
        ('["a"]]', ('["a"]]',), True),
        ('["\\ud800x"]', ("\ufffdx",), False),
        ("", ("",), True),
    ],
)
def test_a_command_is_a_list_or_a_shell_command(
    keyword: str, rest: str, words: object, shell: bool
) -> None:
    (command,) = fields(f"{keyword} {rest}", "command")
    assert command == ins.Command(words, shell)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", ["1", "1.5", "true", "null", "{}", '["x"]'])
@pytest.mark.parametrize("keyword", ["RUN", "CMD", "ENTRYPOINT", "COPY", "ADD", "VOLUME", "SHELL"])
def test_a_json_array_may_only_hold_strings(keyword: str, item: str) -> None:
    reason = "when using JSON array syntax, arrays must be comprised of strings only"
    assert refusal(f'{keyword} ["a", {item}]').endswith(reason)

# SPDX-License-Identifier: MIT
"""The syntax of ``--format``."""

from __future__ import annotations

import pytest

from sandbox.cli.output.template_functions import TemplateError
from sandbox.cli.output.template_syntax import Parser


def kinds(source: str) -> list[str]:
    return [node.kind for node in Parser(source).parse()]


def test_text_and_actions_take_turns() -> None:
    assert kinds("a{{.B}}c") == ["text", "pipeline", "text"]
    assert kinds("") == []
    assert kinds("{{/* nothing */}}") == []


def test_a_dash_takes_the_blanks_beside_it() -> None:
    nodes = Parser("a \n {{- .B -}} \n c").parse()
    assert [node.text for node in nodes if node.kind == "text"] == ["a", "c"]


def test_blocks_may_be_inside_one_another() -> None:
    [node] = Parser("{{if .A}}{{range .B}}x{{else}}y{{end}}{{else if .C}}z{{end}}").parse()
    assert [inner.kind for inner in node.body] == ["range"]
    assert [inner.kind for inner in node.body[0].otherwise] == ["text"]
    assert [inner.kind for inner in node.otherwise] == ["if"]


@pytest.mark.parametrize(
    "source",
    [
        "{{if .A}}",
        "{{end}}",
        "{{else}}",
        "{{if .A}}{{else x}}{{end}}",
        "{{.A",
        "{{}}",
        "{{.A | }}",
        '{{"open}}',
        "{{(.A}}",
    ],
)
def test_a_template_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(TemplateError, match="template parsing error"):
        Parser(source).parse()

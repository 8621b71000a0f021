# SPDX-License-Identifier: MIT
"""A build as BuildKit shows it."""

from __future__ import annotations

import base64
import json

import pytest

from sandbox.builder.progress import CANCELED, Vertex
from sandbox.cli.output.build_progress import display
from sandbox.errors import UsageError


def vertex(number: int, name: str, **fields: object) -> Vertex:
    found = Vertex(number, name, 100.0, f"sha256:{number}")
    for key, value in fields.items():
        setattr(found, key, value)
    return found


def test_plain_lines_are_numbered_and_steps_stand_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one, two = vertex(1, "[1/2] FROM a", ended=101.0), vertex(2, "[2/2] RUN b", ended=102.5)
    with display("plain") as shown:
        shown.started(one)
        shown.ended(one)
        shown.started(two)
        shown.said(two, 1, b"half ")
        shown.said(two, 1, b"a line\nand")
        shown.ended(two)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:4] == ["#1 [1/2] FROM a", "#1 DONE 1.0s", "", "#2 [2/2] RUN b"]
    assert lines[4].startswith("#2 ")
    assert lines[4].endswith("half a line")
    assert lines[5].endswith(" and"), "what has no end of line is shown at the end"
    assert lines[6] == "#2 DONE 2.5s"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"cached": True}, "CACHED"),
        ({"error": "boom"}, "ERROR: boom"),
        ({"error": CANCELED}, "CANCELED"),
    ],
)
def test_an_end_says_how(
    capsys: pytest.CaptureFixture[str], fields: dict[str, object], text: str
) -> None:
    step = vertex(1, "x", **fields)
    with display("plain") as shown:
        shown.started(step)
        shown.ended(step)
    assert capsys.readouterr().err.splitlines()[1] == f"#1 {text}"


def test_json_is_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    step = vertex(1, "x", ended=101.0, cached=True)
    with display("rawjson") as shown:
        shown.said(step, 2, b"\xff")
        shown.ended(step)
    log, end = map(json.loads, capsys.readouterr().err.splitlines())
    assert base64.b64decode(log["logs"][0]["data"]) == b"\xff"
    assert end["vertexes"][0]["completed"] == "1970-01-01T00:01:41Z"
    assert end["vertexes"][0]["cached"] is True


def test_quiet_is_quiet_and_another_mode_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with display("quiet") as shown:
        shown.started(vertex(1, "x"))
    assert capsys.readouterr().err == ""
    with pytest.raises(UsageError, match="invalid progress mode 'loud'"), display("loud"):
        pass

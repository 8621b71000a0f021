# SPDX-License-Identifier: MIT
"""A build's output in the format of the classic builder."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from sandbox.api.build_process import Lines, told
from sandbox.builder.progress import Vertex


def shown(*steps: tuple[str, bool, bytes], quiet: bool = False) -> list[dict[str, Any]]:
    """Return the lines for *steps*: title, whether it was cached, output."""
    reader, writer = os.pipe()
    lines = Lines(writer, quiet=quiet)
    for number, (name, cached, data) in enumerate(steps):
        vertex = Vertex(number, name, 0.0, "")
        lines.started(vertex)
        if data:
            lines.said(vertex, 2, data)
        vertex.cached = cached
        lines.ended(vertex)
    lines.decide(cached=False)
    os.close(writer)
    with open(reader, "rb") as file:
        return [json.loads(line) for line in file]


def test_a_step_is_shown_with_its_number() -> None:
    assert shown(("[1/2] FROM alpine", True, b""), ("[2/2] RUN true", False, b"")) == [
        {"stream": "Step 1/2 : FROM alpine\n"},
        {"stream": "Step 2/2 : RUN true\n"},
    ]


def test_a_cached_step_is_marked() -> None:
    assert shown(("[2/2] RUN true", True, b"")) == [
        {"stream": "Step 2/2 : RUN true\n"},
        {"stream": " ---> Using cache\n"},
    ]


def test_standard_error_is_red_and_may_contain_invalid_utf_8() -> None:
    assert shown(("[2/2] RUN x", False, b"no\xff\n"))[-1] == {"stream": "\x1b[91mno\ufffd\n\x1b[0m"}


def test_internal_steps_are_not_shown() -> None:
    assert shown(("[internal] load context", False, b""), ("exporting to image", False, b"")) == []


def test_a_quiet_build_shows_nothing() -> None:
    assert shown(("[1/1] RUN x", False, b"out"), quiet=True) == []


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("failed to solve: no such file", "no such file", 1),
        (
            'process "/bin/sh -c exit 7" did not complete successfully: exit code: 7',
            "The command '/bin/sh -c exit 7' returned a non-zero code: 7",
            7,
        ),
    ],
)
def test_failures_have_the_classic_builder_s_messages(text: str, words: str, code: int) -> None:
    assert told(text) == (words, code)

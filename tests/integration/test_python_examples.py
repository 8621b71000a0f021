# SPDX-License-Identifier: MIT
"""The examples of docs/python.md, each a program that prints what the document shows."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<shown>.*?)```", re.DOTALL)
HEADING = re.compile(r"(?m)^##? (.*)$")

pytestmark = pytest.mark.guest


def examples() -> list[pytest.param]:
    text = DOCUMENT.read_text(encoding="utf-8")
    found = []
    for match in EXAMPLE.finditer(text):
        title = HEADING.findall(text[: match.start()])[-1]
        found.append(pytest.param(match["code"], match["shown"], id=title.replace(" ", "-")))
    return found


def test_the_document_has_ten_examples_and_each_shows_what_it_prints() -> None:
    assert len(examples()) >= 10
    assert DOCUMENT.read_text(encoding="utf-8").count("```python\n") == len(examples())


@pytest.mark.parametrize(("code", "shown"), examples())
def test_an_example_prints_what_the_document_shows(code: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == (shown, "", 0)

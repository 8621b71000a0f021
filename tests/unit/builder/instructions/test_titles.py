# SPDX-License-Identifier: MIT
"""The titles of build steps in the progress output."""

from __future__ import annotations

import pytest

from sandbox.builder.instructions.titles import numbered, steps_of, text_of
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.plan import Wanted
from sandbox.dockerfile.planner import plan

VARIABLES = {"A": "one two", "B": "b"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("run  echo $B '$B' \"$B\" $C", "RUN echo b '$B' \"b\" $C"),
        ("RUN [ $B = b ]", "RUN [ b = b ]"),
        ("RUN it's broken", "RUN it's broken"),
        ('COPY --chown=$B "a b" $A$C /', "COPY --chown=b a b one two /"),
        ("WORKDIR /$B/${C:-c}", "WORKDIR /b/c"),
        ("RUN <<EOF\n\nfirst line\nsecond\nEOF", "RUN <<EOF (first line...)"),
        ("RUN <<EOF\nonly\nEOF", "RUN <<EOF (only)"),
        ("RUN cat <<EOF\nonly\nEOF", "RUN cat <<EOF"),
    ],
)
def test_a_step_is_shown_with_its_variables(line: str, shown: str) -> None:
    (stage,) = parse(f"FROM a\n{line}\n".encode()).stages
    step = stage.instructions[0]
    assert text_of(step, VARIABLES, escape="\\", is_trigger=False) == shown
    assert text_of(step, VARIABLES, escape="\\", is_trigger=True) == f"ONBUILD {shown}"


def test_a_base_is_a_step_only_if_it_is_pulled() -> None:
    content = b"FROM a AS b\nRUN x\nENV y=z\nFROM b\nRUN x\nWORKDIR /\nFROM scratch\nCOPY x y\n"
    stages = plan(parse(content), Wanted(), all_stages=True).stages
    assert [steps_of(stage) for stage in stages] == [(1, 2), (0, 2), (0, 1)]


def test_step_numbers_are_aligned() -> None:
    assert numbered("s", 9, 10, "RUN a") == "[s  9/10] RUN a"
    assert numbered("", 10, 10, "RUN [ b ]") == "[10/10] RUN [ b ]"

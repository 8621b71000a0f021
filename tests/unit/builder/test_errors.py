# SPDX-License-Identifier: MIT
"""A build that fails says where."""

from __future__ import annotations

import pytest

from sandbox.builder.errors import BuildFailed, Cancelled, StepFailed, placed
from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.instructions import Span
from sandbox.dockerfile.parser import parse

FILE = parse(b"FROM a\nRUN b\n")


def test_a_failure_without_a_place_is_given_one() -> None:
    with pytest.raises(BuildFailed) as caught, placed(FILE, Span(2, 2)):
        raise StepFailed("boom")
    assert caught.value.message == "failed to solve: boom"
    assert "RUN b" in caught.value.excerpt


@pytest.mark.parametrize(
    "failure", [BuildFailed("x"), Cancelled("x"), DockerfileError("x"), ZeroDivisionError()]
)
def test_a_failure_that_has_a_place_or_is_a_bug_is_left_alone(failure: Exception) -> None:
    with pytest.raises(type(failure)) as caught, placed(FILE, Span(1, 1)):
        raise failure
    assert caught.value is failure


def test_what_fails_before_the_build_is_told_plainly() -> None:
    assert BuildFailed("no context", begun=False).message == "no context"

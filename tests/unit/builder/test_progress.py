# SPDX-License-Identifier: MIT
"""What a build tells while it goes on."""

from __future__ import annotations

import pytest

from sandbox.builder.progress import CANCELED, Reporter, Vertex, error_of
from sandbox.errors import SandboxError


class Log:
    """Everything that was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, vertex: Vertex) -> None:
        self.told.append(f"start {vertex.number} {vertex.name}")

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        self.told.append(f"{stream} {data.decode()}")

    def ended(self, vertex: Vertex) -> None:
        self.told.append(f"end {vertex.number} {vertex.error}".rstrip())


def test_vertices_are_numbered_and_end_once() -> None:
    log = Log()
    reporter = Reporter(log)
    with reporter.doing("one") as first:
        second = reporter.start("two")
        reporter.say(second, b"out")
        reporter.end(second, cached=True)
        first.cached = True
    assert log.told == ["start 1 one", "start 2 two", "1 out", "end 2", "end 1"]
    assert first.cached
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (SandboxError("boom"), "boom"),
        (KeyboardInterrupt(), CANCELED),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_a_failure_is_the_end_and_goes_on(failure: BaseException, text: str) -> None:
    log = Log()
    with pytest.raises(type(failure)), Reporter(log).doing("one"):
        raise failure
    assert log.told[-1] == f"end 1 {text}"
    assert error_of(failure) == text


def test_of_long_output_the_end_is_kept() -> None:
    reporter = Reporter(Log())
    vertex = reporter.start("one")
    for number in range(3000):
        reporter.say(vertex, b"%099d\n" % number)
    assert len(vertex.tail) == 64 * 1024
    assert vertex.tail.endswith(b"2999\n")

# SPDX-License-Identifier: MIT
"""Stages are built in an order in which each finds what it needs."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.builder.errors import Cancelled
from sandbox.builder.stage_graph import build_stages
from sandbox.errors import SandboxError


def stages(**needs: set[int]) -> Any:
    """Return stages named s0, s1, ... and the numbers of those they need."""
    return [
        SimpleNamespace(index=int(name[1:]), dependencies=frozenset(before))
        for name, before in needs.items()
    ]


def test_a_stage_begins_when_all_that_it_needs_is_done() -> None:
    done: dict[int, Any] = {}
    seen: dict[int, set[int]] = {}

    def build(stage: Any) -> Any:
        seen[stage.index] = set(done)
        return stage.index

    graph = stages(s0=set(), s1={0}, s2={0}, s3={1, 2})
    build_stages(graph, build, done, jobs=4, cancel=threading.Event())
    assert done == {0: 0, 1: 1, 2: 2, 3: 3}
    assert all(stage.dependencies <= seen[stage.index] for stage in graph)


def test_two_stages_are_built_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def build(_stage: Any) -> Any:
        both.wait()
        return None

    build_stages(stages(s0=set(), s1=set()), build, {}, jobs=2, cancel=threading.Event())


def test_the_first_failure_stops_the_others_and_is_the_one_that_is_told() -> None:
    cancel = threading.Event()

    def build(stage: Any) -> Any:
        if stage.index:
            raise SandboxError("boom")
        assert cancel.wait(10)
        raise Cancelled("canceled")

    with pytest.raises(SandboxError, match="boom"):
        build_stages(stages(s0=set(), s1=set()), build, {}, jobs=2, cancel=cancel)


def test_one_stage_alone_needs_no_thread() -> None:
    threads: list[int] = []

    def build(_stage: Any) -> Any:
        threads.append(threading.get_ident())
        return None

    build_stages(stages(s0=set()), build, {}, jobs=0, cancel=threading.Event())
    assert threads == [threading.get_ident()]

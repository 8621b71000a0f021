# SPDX-License-Identifier: MIT
"""The stages that a target needs, and the origin of each source."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.plan import (
    ContextSource,
    ImageSource,
    Plan,
    Scratch,
    StageSource,
    Wanted,
)
from sandbox.dockerfile.planner import plan
from sandbox.errors import UsageError


def planned(content: str, target: str = "", **wanted: object) -> Plan:
    return plan(parse(content.encode()), Wanted(target, **wanted))  # type: ignore[arg-type]


MANY = """
FROM alpine AS a
FROM a AS b
FROM scratch AS unused
COPY --from=nginx /x /y
FROM debian AS c
COPY --from=b /x /y
RUN --mount=from=unused2,target=/z true
FROM busybox AS unused2
FROM scratch
COPY --from=0 /x /
COPY --from=C /x /
"""


@pytest.mark.parametrize(
    ("target", "indexes"),
    [("a", [0]), ("b", [0, 1]), ("B", [0, 1]), ("unused", [2])],
)
def test_only_stages_that_the_target_needs_are_planned(target: str, indexes: list[int]) -> None:
    assert [stage.index for stage in planned(MANY, target).stages] == indexes


def test_the_last_stage_is_the_default_target() -> None:
    content = "FROM a AS x\nFROM b AS unused\nFROM c\nCOPY --from=x /a /b\nCOPY --from=X /c /d\n"
    found = planned(content)
    assert [stage.index for stage in found.stages] == [0, 2]
    assert found.last.index == found.target == 2
    assert found.last.sources == {"x": StageSource(0), "X": StageSource(0)}
    assert found.last.dependencies == {0}


@pytest.mark.parametrize(
    ("content", "base"),
    [
        ("FROM scratch", Scratch()),
        ("FROM alpine:3", ImageSource("alpine:3")),
        ("FROM host", ImageSource("host")),
        ("ARG V=3\nFROM alpine:$V", ImageSource("alpine:3")),
        ("ARG V\nFROM alpine${V:+:$V}", ImageSource("alpine")),
        ("ARG A=a\nARG B=${A}b\nFROM $B", ImageSource("ab")),
        ("FROM x AS y\nFROM y", StageSource(0)),
        ("FROM x AS y\nFROM z AS y\nFROM y", StageSource(1)),
        ("FROM y AS y", ImageSource("y")),
        ("FROM ctx", ContextSource("ctx")),
        ("FROM ctx:latest", ContextSource("ctx")),
        ("FROM docker.io/library/ctx", ContextSource("ctx")),
        ("FROM ctx:1", ImageSource("ctx:1")),
        ("FROM alpine AS ctx", ContextSource("ctx")),
    ],
)
def test_a_base_may_be_a_stage_an_image_a_context_or_scratch(content: str, base: object) -> None:
    assert planned(content, contexts=("ctx", "scratch")).last.base == base


def test_from_may_use_build_arguments() -> None:
    content = "ARG V=3\nFROM alpine:$V"
    found = planned(content, build_arguments={"V": "4", "W": "5"})
    assert found.last.base == ImageSource("alpine:4")
    assert "W" not in found.global_arguments


def test_from_may_use_the_platform_arguments() -> None:
    content = "FROM --platform=$BUILDPLATFORM a AS b\nFROM --platform=aarch64 c\nCOPY --from=b a b"
    found = planned(content, platform="linux/arm/v7", build_platform="linux/amd64")
    assert [stage.platform for stage in found.stages] == ["linux/amd64", "linux/arm64"]
    arguments = found.global_arguments
    assert arguments["TARGETPLATFORM"] == "linux/arm/v7"
    assert (arguments["TARGETARCH"], arguments["TARGETVARIANT"]) == ("arm", "v7")
    assert (arguments["BUILDOS"], arguments["BUILDVARIANT"]) == ("linux", "")
    assert arguments["TARGETSTAGE"] == "default"


@pytest.mark.parametrize(
    ("line", "name", "source"),
    [
        ("COPY --from=nginx:1 a b", "nginx:1", ImageSource("nginx:1")),
        ("COPY --from=ctx a b", "ctx", ContextSource("ctx")),
        ("COPY --from=scratch a b", "scratch", Scratch()),
        ("RUN --mount=from=first,target=/a x", "first", StageSource(0)),
        ("RUN --mount=type=cache,from=img,target=/a x", "img", ImageSource("img")),
    ],
)
def test_a_source_may_be_a_stage_an_index_a_context_or_an_image(
    line: str, name: str, source: object
) -> None:
    content = f"FROM a AS first\nFROM b\n{line}\n"
    assert planned(content, contexts=("ctx",)).last.sources == {name: source}


def test_a_named_context_replaces_a_whole_stage() -> None:
    found = planned("FROM a AS x\nRUN b\nFROM x\n", contexts=("x",))
    assert found.stages[0].base == ContextSource("x")
    assert found.stages[0].stage.instructions == ()


def test_a_stage_begins_with_the_triggers_of_its_base_stage() -> None:
    content = "FROM a AS x\nONBUILD RUN t\nFROM b AS y\nFROM x\nRUN u\nFROM x AS z\n"
    found = planned(content.replace("RUN t", "COPY --from=y /t /t"), "z")
    last = found.last
    assert [i.original for i in last.stage.instructions] == ["COPY --from=y /t /t"]
    assert last.dependencies == {0, 1}
    assert last.stage.instructions[0].span == last.stage.base.span


@pytest.mark.parametrize(
    ("content", "target", "reason"),
    [
        ("FROM a AS bild", "build", 'target stage "build" could not be found (did you mean bild?)'),
        ("FROM $X", "", "base name ($X) should not be blank"),
        (
            "FROM Alpine",
            "",
            'failed to parse stage name "Alpine": invalid reference format: repository name'
            " (library/Alpine) must be lowercase",
        ),
        (
            "FROM --platform=$BULIDPLATFORM a",
            "",
            "empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)",
        ),
        (
            "FROM --platform=foo a",
            "",
            'failed to parse platform foo: "foo": unknown operating system or architecture:'
            " invalid argument",
        ),
        (
            "ARG MY_ARCH=arm64\nFROM --platform=linux/${MYARCH} a",
            "",
            'failed to parse platform linux/${MYARCH}: "" is an invalid component of "linux/":'
            ' platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument'
            " (did you mean MY_ARCH?)",
        ),
        (
            "FROM --platform=a/b/c/d a",
            "",
            'failed to parse platform a/b/c/d: "a/b/c/d": cannot parse platform specifier:'
            " invalid argument",
        ),
        ("FROM a\nCOPY --from=7 a b", "", "invalid stage index 7"),
        (
            "FROM a\nCOPY --from=+-1 a b",
            "",
            'failed to parse stage name "+-1": invalid reference format',
        ),
        (
            "FROM a\nCOPY --from=b a b\nFROM a AS b",
            "stage-0",
            'target stage "stage-0" could not be found',
        ),
        (
            "FROM a AS x\nCOPY --from=b a b\nFROM a AS b",
            "x",
            'cannot copy from stage "b", it needs to be defined before current stage "x"',
        ),
        ("FROM a AS x\nCOPY --from=x a b", "", "circular dependency detected on stage: x"),
        (
            "FROM a AS x\nCOPY --from=y a b\nFROM a AS y\nCOPY --from=x a b",
            "",
            "circular dependency detected on stage: x",
        ),
        (
            "ARG X=b\nFROM a AS b\nFROM c\nCOPY --from=$X a b",
            "",
            "variable expansion is not supported for --from, define a new stage with FROM using"
            " ARG from global scope as a workaround",
        ),
        ("ARG X=${\nFROM a", "", "failed to process \"${\": syntax error: missing '}'"),
    ],
)
def test_an_impossible_plan_is_refused(content: str, target: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        planned(content, target)
    assert getattr(caught.value, "reason", caught.value.message) == reason

# SPDX-License-Identifier: MIT
"""Parsing of all instructions but RUN, COPY and ADD."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from tests.unit.dockerfile.parsed import fields, one


@pytest.mark.parametrize(
    ("text", "image", "platform", "name"),
    [
        ("FROM alpine", "alpine", "", ""),
        ("from alpine:3 as Build", "alpine:3", "", "build"),
        ("FROM --platform=$BUILDPLATFORM a AS b-1_2.x", "a", "$BUILDPLATFORM", "b-1_2.x"),
        ("FROM ${BASE:-a}@sha256:00", "${BASE:-a}@sha256:00", "", ""),
    ],
)
def test_from_has_an_image_and_optionally_a_stage_name(
    text: str, image: str, platform: str, name: str
) -> None:
    assert fields(text, "image", "platform", "name", head="") == (image, platform, name)


def test_the_original_spelling_of_a_stage_name_is_kept() -> None:
    assert fields("FROM a aS Bc", "name_as_written", "as_keyword", head="") == ("Bc", "aS")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG a", (("a", None),)),
        ("ARG a=", (("a", ""),)),
        ("ARG a=b c d='e f'", (("a", "b"), ("c", None), ("d", "'e f'"))),
        ("ARG a=${b:-x y}", (("a", "${b:-x"), ("y}", None))),
    ],
)
def test_arg_declares_variables(text: str, expected: object) -> None:
    instruction = one(text)
    assert isinstance(instruction, ins.Arg)
    assert tuple((a.name, a.default) for a in instruction.arguments) == expected


@pytest.mark.parametrize("keyword", ["ENV", "LABEL"])
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("a=b", [("a", "b", False)]),
        ("a=b c=d", [("a", "b", False), ("c", "d", False)]),
        ("a=", [("a", "", False)]),
        ("a=b=c", [("a", "b=c", False)]),
        ('a="b c" d=e\\ f', [("a", '"b c"', False), ("d", "e\\ f", False)]),
        ("a b c=d", [("a", "b c=d", True)]),
        ("a   b", [("a", "b", True)]),
        ('"a b"=c', [('"a b"', "c", False)]),
        ("a='$x' \\\n  b=2", [("a", "'$x'", False), ("b", "2", False)]),
    ],
)
def test_pairs_are_split_and_keep_their_quotes(keyword: str, rest: str, expected: object) -> None:
    (pairs,) = fields(f"{keyword} {rest}", "pairs")
    assert [(p.key, p.value, p.spaced) for p in pairs] == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("WORKDIR /a b", "path", "/a b"),
        ('WORKDIR "/a"', "path", '"/a"'),
        ("USER a:b", "user", "a:b"),
        ("STOPSIGNAL SIGTERM", "signal", "SIGTERM"),
        ("MAINTAINER A B <c@d>", "name", "A B <c@d>"),
        ("EXPOSE 80 53/udp $P", "ports", ("$P", "53/udp", "80")),
        ("VOLUME /a /b", "paths", ("/a", "/b")),
        ('VOLUME ["/a b", " /c "]', "paths", ("/a b", "/c")),
        ('SHELL ["/bin/sh", "-c"]', "words", ("/bin/sh", "-c")),
        ("ONBUILD RUN a \\\n b", "expression", "RUN a  b"),
        ("onbuild COPY <<E /x\na\nE", "expression", "COPY <<E /x\na\nE"),
    ],
)
def test_simple_instructions_have_one_value(text: str, name: str, expected: object) -> None:
    assert fields(text, name) == (expected,)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("NONE", ins.Health(("NONE",))),
        ("none", ins.Health(("NONE",))),
        ("CMD curl -f x", ins.Health(("CMD-SHELL", "curl -f x"))),
        ('cmd ["a", "b"]', ins.Health(("CMD", "a", "b"))),
        (
            "--interval=1m30s --timeout=500ms --start-period=1h --start-interval=2s --retries=4"
            " CMD x",
            ins.Health(
                ("CMD-SHELL", "x"),
                interval=90_000_000_000,
                timeout=500_000_000,
                start_period=3_600_000_000_000,
                start_interval=2_000_000_000,
                retries=4,
            ),
        ),
        ("--interval=0 CMD x", ins.Health(("CMD-SHELL", "x"))),
    ],
)
def test_healthcheck_has_a_command_and_times(rest: str, expected: ins.Health) -> None:
    assert fields(f"HEALTHCHECK {rest}", "health") == (expected,)

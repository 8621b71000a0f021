# SPDX-License-Identifier: MIT
"""The usual command lines mean the same without click as with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cli import quick_words
from sandbox.cli.commands import cli
from sandbox.cli.containers.exec_command import EXEC_OPTIONS
from sandbox.cli.containers.run_flags import RUN_OPTIONS
from sandbox.cli.idle_flags import IDLE_OPTIONS

# Options without effect are left to click; without them a line means the same.
IDLE = {names[-1].removeprefix("--").replace("-", "_") for names, _ in IDLE_OPTIONS}
TABLES = {"run": RUN_OPTIONS, "exec": EXEC_OPTIONS}


def by_click(verb: str, words: list[str]) -> dict[str, Any] | None:
    """Return what click makes of the words; None for a mistake or for help."""
    context = click.Context(cli)
    try:
        name, command, rest = cli.resolve_command(context, [verb, *words])
        assert command is not None
        with command.make_context(name, rest, parent=context) as made:
            return {key: given for key, given in made.params.items() if given or key not in IDLE}
    except (click.ClickException, click.exceptions.Exit):
        return None


def quickly(
    verb: str, words: list[str], environ: Mapping[str, str] = os.environ
) -> dict[str, Any] | None:
    parsed = quick_words.parse(TABLES[verb], words, environ)
    if parsed is None:
        return None
    options, rest = parsed
    first = "image" if verb == "run" else "container"
    return {**options, first: rest[0], "args": tuple(rest[1:])} if rest else None


USUAL = [
    ["run", "i"],
    ["run", "--rm", "-it", "debian:12", "bash", "-c", "x", "--rm", "--", "-e"],
    ["run", "-d", "--name", "web", "-p", "80:80", "-p8081:81", "-eA=1", "-e", "B", "i"],
    ["run", "--name=x", "--env=A=b=c", "--no-sig-proxy", "--sig-proxy", "--net", "none", "i"],
    ["run", "-v", "/a:/b", "-w/w", "--entrypoint", "", "--content-trust", "i", "-"],
    ["exec", "-it", "c", "bash"],
    ["exec", "-e", "A=1", "-u0", "--workdir=/x", "c", "sh", "-c", "exit 3"],
]

LEFT = [
    ["run"],
    ["run", "--help"],
    ["run", "--rm=true", "i"],
    ["run", "--rm=nonsense", "i"],
    ["run", "--", "i"],
    ["run", "-", "i"],
    ["run", "--name"],
    ["run", "--name", "-x", "i"],
    ["run", "-e=A", "i"],
    ["run", "-iZ", "i"],
    ["run", "--cpus", "1", "i"],
    ["run", "--cpu-shares", "1", "i"],
    ["run", "--unknown", "i"],
]


@pytest.mark.parametrize("line", USUAL, ids=" ".join)
def test_a_usual_line_needs_no_click(line: list[str]) -> None:
    found = quickly(line[0], line[1:])
    assert found is not None
    assert found == by_click(line[0], line[1:])


@pytest.mark.parametrize("line", LEFT, ids=" ".join)
def test_mistakes_help_and_rare_notations_are_left_to_click(line: list[str]) -> None:
    assert quickly(line[0], line[1:]) is None


@pytest.mark.parametrize("value", ["", "trap"])
@pytest.mark.parametrize("flag", [[], ["--interceptor", "ptrace"]])
def test_a_variable_sets_an_option_that_is_not_given(
    monkeypatch: pytest.MonkeyPatch, value: str, flag: list[str]
) -> None:
    monkeypatch.setenv("SANDBOX_INTERCEPTOR", value)
    found = quickly("run", [*flag, "i"], {"SANDBOX_INTERCEPTOR": value})
    assert found == by_click("run", [*flag, "i"])


WORDS = st.sampled_from(
    [
        *(name for names, _ in RUN_OPTIONS for both in names for name in both.split("/")),
        *("-it", "-di", "-tie", "-eA", "-e=A", "--env=B=1", "--rm=true", "--rm=", "-w/x", "-h"),
        *("--", "-", "", "i", "a b", "--help", "-p80", "-itd=false", "--na", "1", "é", "-q1"),
    ]
)


@given(st.sampled_from(["run", "exec"]), st.lists(WORDS, max_size=6))
def test_what_is_understood_means_what_click_says(verb: str, words: list[str]) -> None:
    found = quickly(verb, words)
    if found is not None and (verb == "run" or found["args"]):
        assert found == by_click(verb, words)

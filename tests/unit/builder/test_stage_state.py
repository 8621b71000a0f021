# SPDX-License-Identifier: MIT
"""What a stage has come to."""

from __future__ import annotations

from sandbox.builder.stage_state import Row, State, run_environment, shown_arguments
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.variables import Scope, first_scope
from sandbox.models import oci
from sandbox.models.digest import digest_of


def scope(text: str = "", **build_arguments: str) -> Scope:
    found = first_scope(
        {"PATH": "/x"}, build_arguments=build_arguments, global_arguments={}, escape="\\"
    )
    for instruction in parse(f"FROM scratch\n{text}\n".encode()).stages[0].instructions:
        assert isinstance(instruction, say.Arg | say.Env)
        found = found.after(found.expanded(instruction))
    return found


def test_a_stage_that_is_based_on_another_goes_on_from_it() -> None:
    base = State(
        oci.RunConfig(on_build=["RUN x"]), scope(), "amd64", layers=(digest_of(b"1"),),
        history=[Row("RUN a", empty=False)],
    )  # fmt: skip
    copy = base.copy()
    copy.history.append(Row("RUN b", empty=False))
    assert len(base.history) == 1
    assert (copy.layers, copy.config.on_build) == (base.layers, None)


def test_the_shell_and_the_directory_have_defaults() -> None:
    state = State(oci.RunConfig(), scope(), "amd64")
    assert (state.shell, state.workdir) == (("/bin/sh", "-c"), "/")
    state.config = oci.RunConfig(shell=["x"], working_dir="/w")
    assert (state.shell, state.workdir) == (("x",), "/w")


def test_a_command_sees_arguments_and_proxies_but_proxies_make_no_difference() -> None:
    found, counted = run_environment(scope("ARG a=1", HTTP_PROXY="p"))
    assert {"a=1", "PATH=/x"} <= set(found)
    assert any(entry.startswith("HTTP_PROXY=") for entry in found)
    assert counted == ["PATH=/x", "a=1"]


def test_the_history_says_the_arguments_that_a_command_had() -> None:
    assert shown_arguments(scope()) == ""
    assert shown_arguments(scope("ARG a=1\nARG b", b="2")) == "|2 a=1 b=2 "

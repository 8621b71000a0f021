# SPDX-License-Identifier: MIT
"""Instructions that change the configuration, and what the history says of them."""

from __future__ import annotations

import pytest

from sandbox.builder.instructions.metadata import (
    apply,
    command_line,
    declare,
    go_duration,
    set_environment,
)
from sandbox.builder.stage_state import State
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.variables import first_scope
from sandbox.models import oci


def state(**config: object) -> State:
    scope = first_scope({}, build_arguments={}, global_arguments={}, escape="\\")
    return State(oci.RunConfig(**config), scope, "amd64")  # type: ignore[arg-type]


def instruction(text: str) -> say.Instruction:
    return parse(f"FROM scratch\n{text}\n".encode()).stages[0].instructions[0]


@pytest.mark.parametrize(
    ("text", "field", "value", "row"),
    [
        ("ENV a=1 b=2", "env", ["a=1", "b=2"], "ENV a=1 b=2"),
        ("LABEL a=1", "labels", {"a": "1"}, "LABEL a=1"),
        ("USER me", "user", "me", "USER me"),
        ('CMD ["a", "b"]', "cmd", ["a", "b"], 'CMD ["a" "b"]'),
        ("CMD a b", "cmd", ["/bin/sh", "-c", "a b"], 'CMD ["/bin/sh" "-c" "a b"]'),
        ('ENTRYPOINT ["a"]', "entrypoint", ["a"], 'ENTRYPOINT ["a"]'),
        (
            "EXPOSE 80 53/udp",
            "exposed_ports",
            {"53/udp": {}, "80/tcp": {}},
            "EXPOSE [53/udp 80/tcp]",
        ),
        ("VOLUME /a /b", "volumes", {"/a": {}, "/b": {}}, "VOLUME [/a /b]"),
        ('SHELL ["x", "-c"]', "shell", ["x", "-c"], "SHELL [x -c]"),
        ("STOPSIGNAL SIGINT", "stop_signal", "SIGINT", "STOPSIGNAL SIGINT"),
    ],
)
def test_an_instruction_changes_its_field_and_says_so(
    text: str, field: str, value: object, row: str
) -> None:
    stage = state()
    assert apply(stage, instruction(text))
    assert getattr(stage.config, field) == value
    assert [(item.created_by, item.empty) for item in stage.history] == [(row, True)]


def test_an_instruction_with_a_layer_is_another_matter() -> None:
    stage = state()
    assert not apply(stage, instruction("RUN true"))
    assert stage.history == []


def test_a_new_entrypoint_takes_the_bases_command_away() -> None:
    stage = state(cmd=["base"])
    apply(stage, instruction('ENTRYPOINT ["x"]'))
    assert stage.config.cmd is None
    apply(stage, instruction('CMD ["own"]'))
    apply(stage, instruction('ENTRYPOINT ["y"]'))
    assert stage.config.cmd == ["own"], "a command of this stage stays"


def test_a_variable_keeps_its_place_when_it_changes() -> None:
    config = oci.RunConfig(env=["a=1", "b=2"])
    assert set_environment(config, "a", "3").env == ["a=3", "b=2"]
    assert set_environment(config, "c", "").env == ["a=1", "b=2", "c="]


def test_a_trigger_is_kept_and_has_no_row() -> None:
    stage = state()
    apply(stage, instruction("ONBUILD RUN x"))
    assert (stage.config.on_build, stage.history) == (["RUN x"], [])


def test_an_argument_has_a_row_and_nothing_else() -> None:
    stage, found = state(), instruction("ARG a b=2")
    assert isinstance(found, say.Arg)
    declare(stage, found)
    assert stage.history[0].created_by == "ARG a b=2"


def test_a_health_check_says_its_times() -> None:
    stage = state()
    apply(stage, instruction("HEALTHCHECK --interval=90s --retries=2 CMD x"))
    assert stage.config.healthcheck is not None
    assert stage.config.healthcheck.retries == 2
    assert "Interval:1m30s" in stage.history[0].created_by


def test_an_empty_command_runs_nothing() -> None:
    assert command_line(state(), say.Command((), False)) == ()
    assert command_line(state(shell=["x"]), say.Command(("a b",), True)) == ("x", "a b")


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0s"), (90 * 10**9, "1m30s"), (3600 * 10**9, "1h0m0s"), (5 * 10**8, "500ms")],
)
def test_durations_are_written_as_go_writes_them(nanoseconds: int, text: str) -> None:
    assert go_duration(nanoseconds) == text

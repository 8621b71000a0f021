# SPDX-License-Identifier: MIT
"""The variables that an instruction sees."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.errors import LanguageError
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.variables import (
    DEFAULT_PATH,
    Scope,
    expand_instruction,
    first_scope,
    proxy_variables,
)


def after(text: str, **given: str) -> Scope:
    """Return the scope after the instructions, with global argument G=global."""
    scope = first_scope(
        {"BASE": "base"}, build_arguments=given, global_arguments={"G": "global", "TARGETARCH": "x"}
    )
    for instruction in parse(f"FROM a\n{text}\n".encode()).stages[0].instructions:
        scope = scope.after(scope.expanded(instruction))
    return scope


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("", "BASE", "base"),
        ("", "PATH", DEFAULT_PATH),
        ("", "G", None),
        ("", "TARGETARCH", None),
        ("ARG TARGETARCH", "TARGETARCH", "x"),
        ("ARG G", "G", "global"),
        ("ARG G=own", "G", "own"),
        ("ARG a", "a", None),
        ("ARG a=", "a", ""),
        ("ARG a=1 b=$a", "b", "1"),
        ("ARG a=$BASE", "a", "base"),
        ('ARG a=\'{"k": "$BASE"}\'', "a", '{"k": "$BASE"}'),
        ("ARG a=\\\\n", "a", "\\n"),
        ("ENV a=1\nENV a=2 b=$a", "b", "1"),
        ("ENV a=1\nENV a=$a:2", "a", "1:2"),
        ("ENV a='$BASE' b=\"$BASE x\"", "a", "$BASE"),
        ("ENV a='$BASE' b=\"$BASE x\"", "b", "base x"),
        ("ENV $BASE=x", "base", "x"),
        ("ENV a b  c", "a", "b  c"),
        ("ARG a=arg\nENV a=env", "a", "env"),
        ("ENV a=env\nARG a=arg", "a", "arg"),
        ("ENV a=\\\n1", "a", "1"),
    ],
)
def test_a_variable_has_the_same_value_as_in_docker(
    text: str, name: str, expected: str | None
) -> None:
    assert after(text).variables.get(name) == expected


def test_a_build_argument_overrides_the_default() -> None:
    scope = after("ARG a=default\nARG G\nENV e=$a", a="given", G="mine", undeclared="x")
    assert scope.variables["a"] == scope.variables["e"] == "given"
    assert scope.variables["G"] == "mine"
    assert "undeclared" not in scope.variables


def test_only_env_variables_are_kept_in_the_image() -> None:
    scope = after("ARG a=1\nENV b=$a")
    assert scope.environment == {"BASE": "base", "PATH": DEFAULT_PATH, "b": "1"}
    assert scope.arguments == (ins.Argument("a", "1"),)


def test_a_declared_argument_without_a_value_is_remembered() -> None:
    assert after("ARG a").arguments == (ins.Argument("a", None),)


def expanded(text: str) -> ins.Instruction:
    instruction = parse(f"FROM a\n{text}\n".encode()).stages[0].instructions[0]
    variables = {"A": "x y", "P": "80", "D": "/d", "E": ""}
    return expand_instruction(instruction, variables)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("WORKDIR $D/'b c'", "path", "/d/b c"),
        ("USER ${U:-root}:$P", "user", "root:80"),
        ("STOPSIGNAL SIG${S:-TERM}", "signal", "SIGTERM"),
        ("VOLUME $D $D/b", "paths", ("/d", "/d/b")),
        ("EXPOSE $P $A", "ports", ("x", "y", "80")),
        ("COPY $A b$D $D", "sources", ("x y", "b/d")),
        ("COPY --chown=$P:$P a b", "chown", "80:80"),
        ("COPY --chmod=$P a b", "chmod", "80"),
        ("COPY --exclude=*$P a b", "exclude", ("*80",)),
        ("COPY --from=$A a b", "from_", "$A"),
        ("ADD --checksum=$P a b", "checksum", "80"),
        ("COPY <<F /x\n\"$A\" '$P' \\$A\nF", "contents", "\"x y\" '80' $A\n"),
        ("COPY <<'F' /x\n$A\nF", "contents", "$A\n"),
        ("LABEL a$P=\"$A\" b='$A'", "pairs", (("a80", "x y"), ("b", "$A"))),
        ("RUN $A", "command", ins.Command(("$A",), True)),
        ("CMD $A", "command", ins.Command(("$A",), True)),
        ('ENTRYPOINT ["$A"]', "command", ins.Command(("$A",), False)),
        ('SHELL ["$A"]', "words", ("$A",)),
        ("ONBUILD RUN $A", "expression", "RUN $A"),
        ("MAINTAINER $A", "name", "$A"),
        ("HEALTHCHECK CMD $A", "health", ins.Health(("CMD-SHELL", "$A"))),
    ],
)
def test_each_instruction_expands_the_same_parts_as_in_docker(
    text: str, name: str, expected: object
) -> None:
    found = getattr(expanded(text), name)
    if name == "contents":
        found = found[0].content
    if name == "pairs":
        found = tuple((pair.key, pair.value) for pair in found)
    assert found == expected


def test_mounts_are_complete_after_expansion() -> None:
    instruction = expanded("RUN --mount=type=cache,target=$D,uid=$P x")
    assert isinstance(instruction, ins.Run)
    assert (instruction.mounts[0].target, instruction.mounts[0].uid) == ("/d", 80)


@pytest.mark.parametrize("text", ["VOLUME $E", "USER ${", "RUN --mount=type=${E} x"])
def test_an_invalid_expansion_is_refused(text: str) -> None:
    with pytest.raises(LanguageError):
        expanded(text)


def test_run_gets_proxy_arguments_without_a_declaration() -> None:
    assert proxy_variables({"http_proxy": "p", "NO_PROXY": "n", "other": "x"}) == {
        "HTTP_PROXY": "p",
        "http_proxy": "p",
        "NO_PROXY": "n",
        "no_proxy": "n",
    }

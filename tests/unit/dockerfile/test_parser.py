# SPDX-License-Identifier: MIT
"""The errors of the parser, and the structure of the parsed Dockerfile."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.parser import parse, parse_trigger, parse_until_error
from tests.unit.dockerfile.parsed import one, refusal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FOO bar", "unknown instruction: FOO (did you mean FROM?)"),
        ("SOMETHING else", "unknown instruction: SOMETHING"),
        ("RUNN x", "unknown instruction: RUNN (did you mean RUN?)"),
        ("copi a b", "unknown instruction: copi (did you mean copy?)"),
        ("FROM", "FROM requires either one or three arguments"),
        ("FROM a b", "FROM requires either one or three arguments"),
        ("FROM a is b", "FROM requires either one or three arguments"),
        (
            "FROM a AS 1b",
            'invalid name for build stage: "1b", name can\'t start with a number'
            " or contain symbols",
        ),
        ("FROM --plat=x a", "unknown flag: --plat"),
        ("FROM --platfrom=x a", "unknown flag: --platfrom (did you mean platform?)"),
        ("ARG", "ARG requires at least one argument"),
        ("ARG =x", "ARG names can not be blank"),
        ("ENV", "ENV requires at least one argument"),
        ("ENV =x", "ENV names can not be blank"),
        ("LABEL", "LABEL requires at least one argument"),
        ("RUN --mont=x y", "unknown flag: --mont (did you mean mount?)"),
        ("RUN --mount x", "missing a value on flag: --mount"),
        ("RUN --network=nome x", 'unsupported network mode "nome" (did you mean none?)'),
        ("RUN --network=none --network=none x", "duplicate flag specified: --network"),
        (
            "COPY a",
            "COPY requires at least two arguments, but only one was provided. Destination could"
            " not be determined",
        ),
        (
            "ADD",
            "ADD requires at least two arguments, but only one was provided. Destination could"
            " not be determined",
        ),
        ("COPY --link=maybe a b", "expecting boolean value for flag --link, not: maybe"),
        ("COPY --link= a b", "missing a value on flag: --link"),
        ("COPY --checksum=x a b", "unknown flag: --checksum"),
        ("ADD --from=x a b", "unknown flag: --from"),
        ("COPY a <<E\nE", "COPY cannot accept a heredoc as a destination"),
        ("WORKDIR", "WORKDIR requires exactly one argument"),
        ("WORKDIR --x /a", "unknown flag: --x"),
        ("USER", "USER requires exactly one argument"),
        ("STOPSIGNAL", "STOPSIGNAL requires exactly one argument"),
        ("MAINTAINER", "MAINTAINER requires exactly one argument"),
        ("MAINTAINER --boo a", "unknown flag: --boo"),
        ("EXPOSE", "EXPOSE requires at least one argument"),
        ("VOLUME", "VOLUME requires at least one argument"),
        ('VOLUME ["a", " "]', "VOLUME specified can not be an empty string"),
        ("SHELL", "SHELL requires at least one argument"),
        ("SHELL []", "SHELL requires at least one argument"),
        ("SHELL /bin/sh -c", "SHELL requires the arguments to be in JSON form"),
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("ONBUILD from x", "FROM isn't allowed as an ONBUILD trigger"),
        ("ONBUILD MAINTAINER x", "MAINTAINER isn't allowed as an ONBUILD trigger"),
        ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK CMD", "missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK CMD []", "missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK foo x", 'unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK --interval=5 CMD x", 'time: missing unit in duration "5"'),
        ("HEALTHCHECK --timeout=1y CMD x", 'time: unknown unit "y" in duration "1y"'),
        ("HEALTHCHECK --interval=50ns CMD x", 'Interval "interval" cannot be less than 1ms'),
        ("HEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"),
        ("HEALTHCHECK --retries=x CMD x", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_an_invalid_instruction_gives_dockers_error_message(text: str, reason: str) -> None:
    assert refusal(text) == f"dockerfile parse error on line 2: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ENV a", "ENV must have two arguments"),
        ("LABEL a", "LABEL must have two arguments"),
        ("ONBUILD ENV a", "ENV must have two arguments"),
        ("ENV a=b c", 'Syntax error - can\'t find = in "c". Must be of the form: name=value'),
        (
            "ONBUILD LABEL a=b c",
            'Syntax error - can\'t find = in "c". Must be of the form: name=value',
        ),
        ("CMD [1]", "when using JSON array syntax, arrays must be comprised of strings only"),
    ],
)
def test_a_line_that_cannot_be_split_is_refused_before_all_instructions(
    text: str, reason: str
) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(f"FROM a\nNONSENSE\n{text}\n".encode())
    assert caught.value.reason == reason
    assert str(caught.value.span) == "3"


def test_the_error_has_what_was_parsed_before_it() -> None:
    found, error = parse_until_error(b"FROM a AS b\nRUN c\nNONSENSE\nRUN d\n")
    assert [stage.name for stage in found.stages] == ["b"]
    assert [i.original for i in found.stages[0].instructions] == ["RUN c"]
    assert error is not None
    assert error.reason == "dockerfile parse error on line 3: unknown instruction: NONSENSE"


def test_an_error_shows_file_line_source_and_a_caret() -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(b"FROM a\n\n  FRON b\n", name="sub/Dockerfile")
    assert str(caught.value).split("\n") == [
        "sub/Dockerfile:3: dockerfile parse error on line 3: unknown instruction: FRON"
        " (did you mean FROM?)",
        "sub/Dockerfile:3",
        "--------------------",
        "   1 |     FROM a",
        "   2 |",
        "   3 | >>>   FRON b",
        "     |       ^~~~~~",
        "--------------------",
    ]


def test_the_caret_is_below_a_line_that_begins_with_tabs() -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(b"FROM a\n \tFRON b\n")
    source, caret = caught.value.snippet.split("\n")[3:5]
    assert (source, caret) == ("   2 | >>>  \tFRON b", "     |      \t^~~~~~")


def test_arguments_before_the_first_stage_are_global() -> None:
    found = parse(b"ARG a=1\nARG b\nFROM x\nARG c\nFROM y AS z\nRUN d\n")
    assert [a.arguments[0].name for a in found.arguments] == ["a", "b"]
    assert [(s.index, s.label, len(s.instructions)) for s in found.stages] == [
        (0, "stage-0", 1),
        (1, "z", 1),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("RUN x\nFROM a\n", "no build stage in current context"),
        ("ARG a\n", "dockerfile contains no stages to build"),
    ],
)
def test_a_dockerfile_must_begin_with_a_stage(content: str, reason: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(content.encode())
    assert caught.value.reason == reason


def test_an_instruction_knows_its_own_text() -> None:
    instruction = one("run --network=none a \\\n# c\n  b")
    assert (instruction.keyword, instruction.original) == ("run", "run --network=none a   b")


def test_an_onbuild_trigger_is_parsed_with_its_stage() -> None:
    base = parse(b"# x\nFROM a\n").stages[0].base
    trigger = parse_trigger("COPY <<E /x\na\nE", base=base)
    assert isinstance(trigger, ins.Copy)
    assert trigger.span == base.span
    with pytest.raises(DockerfileError, match="should be a single expression"):
        parse_trigger("RUN a\nRUN b", base=base)
    with pytest.raises(DockerfileError, match="isn't allowed as an ONBUILD trigger"):
        parse_trigger("FROM a", base=base)

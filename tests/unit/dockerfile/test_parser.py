# SPDX-License-Identifier: MIT
"""What each instruction accepts, and how it refuses the rest."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.parser import parse, parse_trigger, parse_until_error


def one(text: str, head: str = "FROM scratch\n") -> ins.Instruction:
    stage = parse((head + text + "\n").encode()).stages[-1]
    return stage.instructions[-1] if stage.instructions else stage.base


def fields(text: str, *names: str, head: str = "FROM scratch\n") -> tuple[object, ...]:
    instruction = one(text, head)
    return tuple(getattr(instruction, name) for name in names)


def refusal(text: str) -> str:
    with pytest.raises(DockerfileError) as caught:
        one(text)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "image", "platform", "name"),
    [
        ("FROM alpine", "alpine", "", ""),
        ("from alpine:3 as Build", "alpine:3", "", "build"),
        ("FROM --platform=$BUILDPLATFORM a AS b-1_2.x", "a", "$BUILDPLATFORM", "b-1_2.x"),
        ("FROM ${BASE:-a}@sha256:00", "${BASE:-a}@sha256:00", "", ""),
    ],
)
def test_from_names_an_image_and_perhaps_a_stage(
    text: str, image: str, platform: str, name: str
) -> None:
    assert fields(text, "image", "platform", "name", head="") == (image, platform, name)


def test_the_name_of_a_stage_is_kept_as_it_was_written_too() -> None:
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
def test_pairs_are_divided_and_stay_quoted(keyword: str, rest: str, expected: object) -> None:
    (pairs,) = fields(f"{keyword} {rest}", "pairs")
    assert [(p.key, p.value, p.spaced) for p in pairs] == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("keyword", ["RUN", "CMD", "ENTRYPOINT"])
@pytest.mark.parametrize(
    ("rest", "words", "shell"),
    [
        ("echo a  b", ("echo a  b",), True),
        ('["echo", "a b"]', ("echo", "a b"), False),
        ('  [ "a" ,\t"b" ]  ', ("a", "b"), False),
        ("[]", (), False),
        ('["\\u00e9\\n"]', ("é\n",), False),
        ("[ -f x ] && y", ("[ -f x ] && y",), True),
        ("['a']", ("['a']",), True),
        ('["a"', ('["a"',), True),
        ('["a",]', ('["a",]',), True),
        ("[NaN]", ("[NaN]",), True),
        ('["a"] trailing', ('["a"] trailing',), True),
        ('["a"]]', ('["a"]]',), True),
        ('["\\ud800x"]', ("\ufffdx",), False),
        ("", ("",), True),
    ],
)
def test_a_command_is_words_or_a_text_for_the_shell(
    keyword: str, rest: str, words: object, shell: bool
) -> None:
    (command,) = fields(f"{keyword} {rest}", "command")
    assert command == ins.Command(words, shell)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", ["1", "1.5", "true", "null", "{}", '["x"]'])
@pytest.mark.parametrize("keyword", ["RUN", "CMD", "ENTRYPOINT", "COPY", "ADD", "VOLUME", "SHELL"])
def test_an_array_must_hold_strings_alone(keyword: str, item: str) -> None:
    reason = "when using JSON array syntax, arrays must be comprised of strings only"
    assert refusal(f'{keyword} ["a", {item}]').endswith(reason)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("RUN <<E\na\nb\nE", "a\nb\n"),
        ("RUN <<-E\n\ta\n\tE", "a\n"),
        ("RUN cat <<E > /x\na\nE", "cat <<E > /x\na\nE"),
        ("RUN cat <<-E\n\ta\n\tE", "cat <<-E\n\ta\nE"),
        ("RUN <<E python3\nprint(1)\nE", "<<E python3\nprint(1)\nE"),
        ("RUN cat <<A <<B\na\nA\nb\nB", "cat <<A <<B\na\nA\nb\nB"),
    ],
)
def test_the_shell_gets_the_here_documents(text: str, script: str) -> None:
    assert fields(text, "command", "program") == (ins.Command((script,), True), None)


def test_a_here_document_with_a_shebang_is_a_program() -> None:
    command, program = fields("RUN <<-E\n\t#!/bin/x\n\ty\nE", "command", "program")
    assert command == ins.Command(("/dev/pipes/E",), True)
    assert isinstance(program, ins.Heredoc)
    assert program.content == "#!/bin/x\ny\n"


def test_run_has_flags() -> None:
    text = "RUN --network=none --security=insecure --device=a --mount=type=tmpfs,target=/t x"
    network, security, devices, mounts = fields(text, "network", "security", "devices", "mounts")
    assert (network, security, devices) == ("none", "insecure", ("a",))
    assert mounts == (ins.Mount(kind=ins.MountKind.TMPFS, target="/t"),)


def test_flags_end_at_the_first_word_that_is_none() -> None:
    assert fields("RUN --network=none -- --x", "command") == (ins.Command(("--x",), True),)
    assert fields("RUN x --network=none", "network") == ("default",)
    assert fields('RUN --mount=type=bind,target="/a b" x', "mount_texts") == (
        ("type=bind,target=/a b",),
    )


@pytest.mark.parametrize(
    ("text", "sources", "destination"),
    [
        ("COPY a /b", ("a",), "/b"),
        ("COPY a b\tc /d/", ("a", "b", "c"), "/d/"),
        ('COPY ["a b", "/c d/"]', ("a b",), "/c d/"),
        ("COPY $a ${b:-c} .", ("$a", "${b:-c}"), "."),
        ("COPY [[]a].txt /x", ("[[]a].txt",), "/x"),
        ('COPY "a b" /x', ('"a', 'b"'), "/x"),
        ("COPY <<A b /c\nx\nA", ("b",), "/c"),
    ],
)
def test_copy_has_sources_and_a_destination(text: str, sources: object, destination: str) -> None:
    assert fields(text, "sources", "destination") == (sources, destination)


def test_copy_and_add_have_flags() -> None:
    text = "COPY --from=0 --chown=a:b --chmod=u=rwX --link --parents --exclude=x --exclude=y a b"
    names = ("from_", "chown", "chmod", "link", "parents", "exclude")
    assert fields(text, *names) == ("0", "a:b", "u=rwX", True, True, ("x", "y"))
    text = "ADD --checksum=sha256:0 --keep-git-dir --unpack=false --link=FALSE a b"
    names = ("checksum", "keep_git_dir", "unpack", "link")
    assert fields(text, *names) == ("sha256:0", True, False, False)
    assert fields("ADD a b", "keep_git_dir", "unpack") == (None, None)


def test_copied_here_documents_are_files() -> None:
    (contents,) = fields("COPY <<-A <<'b.txt' /d/\n\tx\n\tA\n$y\nb.txt", "contents")
    assert contents == (
        ins.Heredoc("A", "x\n", strip_tabs=True),
        ins.Heredoc("b.txt", "$y\n", expand=False),
    )


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
def test_a_refusal_reads_as_docker_s(text: str, reason: str) -> None:
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
def test_a_line_without_a_shape_is_refused_before_any_instruction(text: str, reason: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(f"FROM a\nNONSENSE\n{text}\n".encode())
    assert caught.value.reason == reason
    assert str(caught.value.span) == "3"


def test_what_was_read_before_an_error_is_known() -> None:
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


def test_arguments_above_the_first_stage_are_global() -> None:
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
def test_a_file_needs_a_stage_first(content: str, reason: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(content.encode())
    assert caught.value.reason == reason


def test_an_instruction_knows_its_own_text() -> None:
    instruction = one("run --network=none a \\\n# c\n  b")
    assert (instruction.keyword, instruction.original) == ("run", "run --network=none a   b")


def test_a_trigger_is_parsed_for_the_stage_that_has_it() -> None:
    base = parse(b"# x\nFROM a\n").stages[0].base
    trigger = parse_trigger("COPY <<E /x\na\nE", base=base)
    assert isinstance(trigger, ins.Copy)
    assert trigger.span == base.span
    with pytest.raises(DockerfileError, match="should be a single expression"):
        parse_trigger("RUN a\nRUN b", base=base)
    with pytest.raises(DockerfileError, match="isn't allowed as an ONBUILD trigger"):
        parse_trigger("FROM a", base=base)

# SPDX-License-Identifier: MIT
"""Warnings of --check have the names, texts and lines of BuildKit's."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.dockerignore import IgnoreRules
from sandbox.dockerfile.lint import lint
from sandbox.dockerfile.parser import parse, parse_until_error
from sandbox.dockerfile.plan import Wanted


def warnings(content: str, target: str = "", **given: str) -> list[tuple[int, str, str]]:
    found = lint(parse(content.encode()), Wanted(target, given))
    return [(w.span.first, w.rule, w.message) for w in found.warnings]


UNDEFINED = "Usage of undefined variable "


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "FROM scratch AS BadName\n",
            [(1, "StageNameCasing", "Stage name 'BadName' should be lowercase")],
        ),
        (
            "FROM scratch as a\n",
            [(1, "FromAsCasing", "'as' and 'FROM' keywords' casing do not match")],
        ),
        (
            "from scratch AS a\n",
            [(1, "FromAsCasing", "'AS' and 'from' keywords' casing do not match")],
        ),
        (
            "FROM scratch\nCOPY a \\\n\n.\n",
            [(4, "NoEmptyContinuation", "Empty continuation line")],
        ),
        (
            "FROM scratch\ncopy a /b\nCOPY a /c\n",
            [
                (
                    2,
                    "ConsistentInstructionCasing",
                    "Command 'copy' should match the case of the command majority (uppercase)",
                )
            ],
        ),
        (
            "frOM scratch as base\nfrom scratch as base2\n",
            [
                (
                    1,
                    "ConsistentInstructionCasing",
                    "Command 'frOM' should match the case of the command majority (lowercase)",
                )
            ],
        ),
        ("from scratch\ncopy a /b\n", []),
        (
            "FROM scratch AS b\nFROM scratch AS b\n",
            [(2, "DuplicateStageName", 'Duplicate stage name "b", stage names should be unique')],
        ),
        (
            "FROM scratch AS scratch\n",
            [
                (
                    1,
                    "ReservedStageName",
                    'Stage name should not use the same name as reserved stage "scratch"',
                )
            ],
        ),
        (
            "FROM scratch\nCMD x\n",
            [
                (
                    2,
                    "JSONArgsRecommended",
                    "JSON arguments recommended for CMD to prevent unintended behavior related to"
                    " OS signals",
                )
            ],
        ),
        ('FROM scratch AS a\nSHELL ["x"]\nFROM a\nENTRYPOINT x\n', []),
        (
            "FROM scratch\nMAINTAINER me\n",
            [
                (
                    2,
                    "MaintainerDeprecated",
                    "Maintainer instruction is deprecated in favor of using label",
                )
            ],
        ),
        (
            "ARG tag=1\nFROM a:${tag}${version}\n",
            [(2, "UndefinedArgInFrom", "FROM argument 'version' is not declared")],
        ),
        ("ARG DEBUG\nFROM scratch${DEBUG}\n", []),
        (
            "FROM scratch\nWORKDIR app/\nWORKDIR more\n",
            [
                (
                    2,
                    "WorkdirRelativePath",
                    'Relative workdir "app/" can have unexpected results if the base image changes',
                )
            ],
        ),
        ("FROM scratch AS a\nWORKDIR /app\nFROM a\nWORKDIR sub\n", []),
        ("FROM scratch\nARG foo\nCOPY a${foo} .\n", []),
        (
            "FROM scratch\nCOPY $foo .\nARG foo=bar\nRUN echo $foo $bar\n",
            [(2, "UndefinedVar", f"{UNDEFINED}'$foo'")],
        ),
        (
            "FROM scratch\nENV PATH=$PAHT:/x\n",
            [(2, "UndefinedVar", f"{UNDEFINED}'$PAHT' (did you mean $PATH?)")],
        ),
        ("FROM unknown\nCOPY $foo .\n", []),
        ("FROM scratch AS a\nARG foo=x\nFROM a\nCOPY $foo .\n", []),
        (
            'FROM scratch\nCMD ["a"]\nCMD ["b"]\nHEALTHCHECK NONE\n',
            [
                (
                    2,
                    "MultipleInstructionsDisallowed",
                    "Multiple CMD instructions should not be used in the same stage because only"
                    " the last one will be used",
                )
            ],
        ),
        (
            "FROM scratch\nENV name value\n",
            [
                (
                    2,
                    "LegacyKeyValueFormat",
                    '"ENV key=value" should be used instead of legacy "ENV key value" format',
                )
            ],
        ),
        (
            "FROM --platform=${TARGETPLATFORM} scratch\n",
            [
                (
                    1,
                    "RedundantTargetPlatform",
                    "Setting platform to predefined ${TARGETPLATFORM} in FROM is redundant as this"
                    " is the default behavior",
                )
            ],
        ),
        (
            "FROM scratch\nENV git_key= PUBLIC_KEY=\nARG api_token\n",
            [
                (
                    2,
                    "SecretsUsedInArgOrEnv",
                    'Do not use ARG or ENV instructions for sensitive data (ENV "git_key")',
                ),
                (
                    3,
                    "SecretsUsedInArgOrEnv",
                    'Do not use ARG or ENV instructions for sensitive data (ARG "api_token")',
                ),
            ],
        ),
        (
            "FROM --platform=linux/amd64 scratch\n",
            [
                (
                    1,
                    "FromPlatformFlagConstDisallowed",
                    'FROM --platform flag should not use constant value "linux/amd64"',
                )
            ],
        ),
        ("FROM --platform=linux/amd64 scratch AS my_amd64\n", []),
        (
            "FROM scratch\nEXPOSE 80/TcP\n",
            [
                (
                    2,
                    "ExposeProtoCasing",
                    "Defined protocol '80/TcP' in EXPOSE instruction should be lowercase",
                )
            ],
        ),
        (
            "FROM scratch\nEXPOSE 1.2.3.4:80:80\n",
            [
                (
                    2,
                    "ExposeInvalidFormat",
                    "EXPOSE instruction should not define an IP address or host-port mapping,"
                    " found '1.2.3.4:80:80'",
                )
            ],
        ),
        (
            "# check=experimental=InvalidDefinitionDescription\n# bad\nARG foo\n"
            "# base is it\nFROM scratch AS base\n#\nARG x\n# odd\nARG a b\n",
            [
                (
                    3,
                    "InvalidDefinitionDescription",
                    "Comment for ARG should follow the format: `# foo <description>`",
                ),
                (
                    9,
                    "InvalidDefinitionDescription",
                    "Comment for ARG should follow the format: `# <arg_key> <description>`",
                ),
            ],
        ),
        ("# bad\nARG foo\nFROM scratch\n", []),
        ("# check=skip=all\nFROM scratch as A\n", []),
        ("# check=skip=FromAsCasing,StageNameCasing // both\nFROM scratch as A\n", []),
        ("FROM scratch\n# check=skip=JSONArgsRecommended\nCMD x\n", []),
    ],
)
def test_a_dockerfile_gives_the_same_warnings_as_with_buildkit(
    content: str, expected: object
) -> None:
    assert warnings(content) == expected


def test_a_default_that_gives_no_valid_image_is_a_warning_even_with_an_argument() -> None:
    assert warnings("ARG V\nFROM busybox:$V\n", V="1") == [
        (
            2,
            "InvalidDefaultArgInFrom",
            "Default value for ARG busybox:$V results in empty or invalid base image name",
        )
    ]


def test_a_required_argument_that_is_given_is_accepted() -> None:
    content = "ARG V=${V:?give a version}\nFROM busybox:$V\n"
    assert lint(parse(content.encode()), Wanted("", {"V": "1"})).error is None
    assert "give a version" in str(lint(parse(content.encode()), Wanted()).error)


def test_with_a_target_only_its_stages_are_checked() -> None:
    content = "FROM scratch AS a\nENV x y\nFROM scratch AS b\n"
    assert [line for line, _, _ in warnings(content)] == [2]
    assert warnings(content, "b") == []


def test_variables_of_a_known_base_image_are_known() -> None:
    dockerfile = parse(b"FROM img\nCOPY $name $other /\n")
    found = lint(dockerfile, Wanted(), environments={0: {"name": "1"}})
    assert [w.message for w in found.warnings] == [f"{UNDEFINED}'$other'"]


def test_a_copy_of_an_ignored_file_is_a_warning_if_that_rule_is_on() -> None:
    content = (
        "# check=skip=all;experimental=CopyIgnoredFile\nFROM scratch AS a\nCOPY x .\nADD ./x .\n"
    )
    content += "COPY . .\nFROM scratch\nCOPY --from=a x .\n"
    rules = IgnoreRules.of(["x"])
    found = lint(parse(content.encode()), Wanted(), ignore=rules)
    assert [(w.span.first, w.message) for w in found.warnings] == [
        (3, 'Attempting to Copy file "x" that is excluded by .dockerignore'),
        (4, 'Attempting to Add file "x" that is excluded by .dockerignore'),
    ]
    plain = parse(content.replace("skip=all;experimental=CopyIgnoredFile", "skip=all").encode())
    assert lint(plain, Wanted(), ignore=rules).warnings == ()


def test_the_file_or_an_argument_may_turn_warnings_into_errors() -> None:
    dockerfile = parse(b"# check=error=true\nFROM scratch as a\n")
    assert lint(dockerfile, Wanted()).fails
    assert lint(dockerfile, Wanted()).summary == "lint violation found for rules: FromAsCasing"
    relaxed = Wanted(build_arguments={"BUILDKIT_DOCKERFILE_CHECK": "skip=all"})
    assert not lint(dockerfile, relaxed).fails


def test_an_error_comes_with_the_warnings_before_it() -> None:
    dockerfile, error = parse_until_error(b"FROM a as B\nRUN x \\\n\ny\nCMD z\nNONSENSE\n")
    found = lint(dockerfile, Wanted(), error=error)
    assert [str(w) for w in found.warnings] == [
        "StageNameCasing: Stage name 'B' should be lowercase (line 1)",
        "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)",
        "NoEmptyContinuation: Empty continuation line (line 4)",
    ]
    assert found.error is error
    circle = parse(b"FROM a as b\nCOPY --from=b x y\n")
    found = lint(circle, Wanted())
    assert [w.rule for w in found.warnings] == ["FromAsCasing"]
    assert "circular dependency" in str(found.error)

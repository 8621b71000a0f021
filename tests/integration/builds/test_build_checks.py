# SPDX-License-Identifier: MIT
"""Warnings and errors about a Dockerfile, from a build and from `build --check`."""

from __future__ import annotations

import pytest

from tests.harness.builds import Builder

pytestmark = pytest.mark.guest

BUILDS = "FROM base AS Big\nRUN true\n"
WARNING = "StageNameCasing: Stage name 'Big' should be lowercase (line 1)"


def test_a_build_prints_its_warnings_at_the_end(builder: Builder) -> None:
    shown = builder.ok(BUILDS + "CMD echo $X\nFROM none AS unused\nFROM big\nENV x y\n")
    said = shown[shown.index(" warnings found") - 1 :].splitlines()
    assert said == [
        "3 warnings found (use --check to expand):",
        f" - {WARNING}",
        " - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior"
        " related to OS signals (line 3)",
        ' - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy'
        ' "ENV key value" format (line 6)',
    ]


def test_a_quiet_build_and_one_without_warnings_print_none(builder: Builder) -> None:
    assert "found" not in builder.ok("FROM base\nRUN true\n")
    builder.put("Dockerfile", BUILDS)
    done = builder.engine.call("build", "-q", builder.context)
    assert (done.returncode, done.stderr) == (0, b"")


def test_check_error_true_in_the_dockerfile_turns_warnings_into_errors(builder: Builder) -> None:
    shown = builder.fails("# check=error=true\n" + BUILDS)
    assert "failed to solve: lint violation found for rules: StageNameCasing" in shown
    assert WARNING.replace("line 1", "line 2") in shown
    assert "RUN true\n#" not in shown  # nothing was run
    relaxed = "BUILDKIT_DOCKERFILE_CHECK=skip=all"
    builder.ok("# check=error=true\n" + BUILDS, "--build-arg", relaxed)


def test_variables_of_the_base_image_are_known_to_the_checks(builder: Builder) -> None:
    builder.ok("FROM base\nENV KNOWN=data\nONBUILD ENV LATER=old\n", "-t", "parent")
    shown = builder.ok("FROM parent\nCOPY --from=base /$KNOWN/$LATER /$UNKNOWN/\n")
    assert " - UndefinedVar: Usage of undefined variable '$UNKNOWN' " in shown
    assert "'$KNOWN'" not in shown
    assert "'$LATER'" not in shown
    builder.put("Dockerfile", "FROM parent\nWORKDIR /$KNOWN/$UNKNOWN\n")
    done = builder.engine.call("build", "--check", builder.context)
    assert done.stdout.startswith(b"Check complete, 1 warning has been found!\n\nWARNING: Undef")


@pytest.mark.parametrize(
    ("dockerfile", "warnings", "error"),
    [
        (
            "FROM scratch AS Big\nMAINTAINER x\nNONSENSE\n",
            ["StageNameCasing", "MaintainerDeprecated"],
            "dockerfile parse error on line 3: unknown instruction: NONSENSE",
        ),
        (
            "FROM --platform=$BULIDPLATFORM scratch\n",
            ["UndefinedArgInFrom"],
            "empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)",
        ),
        ("FROM scratch AS A\nENV x\n", [], "ENV must have two arguments"),
        (
            "FROM scratch as a\nCOPY http://127.0.0.1/x /\n",
            ["FromAsCasing"],
            "source can't be a URL for COPY",
        ),
        (
            "# check=error=true\nFROM scratch as a\n",
            ["FromAsCasing"],
            "lint violation found for rules: FromAsCasing",
        ),
    ],
)
def test_a_check_reports_warnings_and_the_error(
    builder: Builder, dockerfile: str, warnings: list[str], error: str
) -> None:
    builder.put("Dockerfile", dockerfile)
    done = builder.engine.call("build", "--check", builder.context)
    assert done.returncode == 1
    said = done.stdout.decode()
    assert [line.split()[1] for line in said.splitlines() if "WARNING: " in line] == warnings
    assert done.stderr.decode().endswith(f"ERROR: failed to solve: {error}\n")


def test_an_invalid_dockerfile_is_refused_before_any_command_runs(builder: Builder) -> None:
    shown = builder.fails("FROM base\nRUN true\nCOPY --chmod=888 Dockerfile /\n")
    assert "invalid chmod parameter: '888'" in shown
    assert "Dockerfile:3" in shown
    assert "RUN true\n#" not in shown

# SPDX-License-Identifier: MIT
"""Builds of Dockerfiles."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from tests.harness.builds import Builder, cached

pytestmark = pytest.mark.guest


def test_files_that_run_writes_and_copy_adds_are_in_the_image(builder: Builder) -> None:
    builder.put("a.txt", "from the context\n", 0o600)
    builder.ok(
        "FROM base\nWORKDIR /app\nCOPY a.txt ./\nRUN cat a.txt > b && rm /data/old && "
        "chown 7:8 b && mkfifo pipe && ln b c && chmod u+s b\nENV X=1\n"
    )
    files = builder.files()
    assert builder.read("/app/b") == "from the context\n"
    assert "data/old" not in files
    assert (files["app/b"].uid, files["app/b"].gid, files["app/b"].mode) == (7, 8, 0o4644)
    assert files["app/a.txt"].mode == 0o600
    assert files["app/pipe"].isfifo()
    assert "X=1" in builder.inspect()["Config"]["Env"]


def test_the_second_build_of_an_unchanged_dockerfile_gives_the_same_image(builder: Builder) -> None:
    builder.put("a.txt", "1")
    dockerfile = "FROM base\nCOPY a.txt /\nRUN date > /when\nENV A=b\nCMD /bin/sh\n"
    builder.ok(dockerfile)
    first = builder.inspect()["Id"]
    shown = builder.ok(dockerfile)
    assert builder.inspect()["Id"] == first
    assert len(cached(shown)) == 3


def test_only_a_changed_file_makes_copy_and_later_steps_run_again(builder: Builder) -> None:
    file = builder.put("a.txt", "1")
    dockerfile = "FROM base\nRUN echo before\nCOPY a.txt /\nRUN echo after\n"
    builder.ok(dockerfile)
    os.utime(file, (1, 1))
    assert len(cached(builder.ok(dockerfile))) == 4
    builder.put("a.txt", "2")
    assert cached(builder.ok(dockerfile)) == ["[1/4] FROM base", "[2/4] RUN echo before"]


def test_only_the_stages_that_the_target_needs_are_built(builder: Builder) -> None:
    shown = builder.ok(
        "FROM base AS one\nRUN echo 1 > /one\nFROM base AS two\nRUN false\n"
        "FROM scratch AS three\nCOPY --from=one /one /copied\n"
    )
    assert "RUN false" not in shown
    assert set(builder.files()) - {""} >= {"copied"}
    assert builder.inspect()["Config"]["WorkingDir"] == "/"
    builder.ok("FROM base AS one\nRUN echo 1 > /one\nFROM base\nRUN false\n", "--target", "one")


def test_a_failing_command_shows_its_output_and_its_line_in_the_dockerfile(
    builder: Builder,
) -> None:
    shown = builder.fails("FROM base\nRUN echo words; exit 7\n")
    assert "words" in shown
    assert "Dockerfile:2" in shown
    assert ">>> RUN echo words; exit 7" in shown
    assert (
        'ERROR: failed to solve: process "/bin/sh -c echo words; exit 7" did not complete '
        "successfully: exit code: 7" in shown
    )


def test_a_missing_source_is_reported_as_by_buildkit(builder: Builder) -> None:
    shown = builder.fails("FROM base\nCOPY nothing /\n")
    assert 'failed to calculate checksum of ref: "/nothing": not found' in shown


def test_config_and_history_are_the_same_as_with_buildkit(builder: Builder) -> None:
    builder.ok(
        'FROM base\nARG V=1\nENV A=b C="d e"\nLABEL x=y\nEXPOSE 80 53/udp\nVOLUME /v\nUSER 5:6\n'
        'WORKDIR /w\nRUN true\nSTOPSIGNAL SIGUSR1\nSHELL ["/bin/sh", "-ec"]\nCMD echo hi\n'
        "HEALTHCHECK --interval=90s --retries=3 CMD test -e /v\nONBUILD RUN echo later\n"
    )
    shown = builder.inspect()
    config = shown["Config"]
    assert config["ArgsEscaped"] is True
    assert config["Cmd"] == ["/bin/sh", "-ec", "echo hi"]
    assert config["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}
    assert config["Volumes"] == {"/v": {}}
    assert config["Labels"] == {"x": "y"}
    assert config["OnBuild"] == ["RUN echo later"]
    assert config["StopSignal"] == "SIGUSR1"
    assert config["Healthcheck"]["Interval"] == 90 * 10**9
    assert config["Env"] == ["PATH=/bin", "A=b", "C=d e"]
    rows = builder.engine.ok(
        "history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}", "made"
    ).splitlines()
    assert rows[:12] == [
        f"{text}|buildkit.dockerfile.v0"
        for text in (
            "HEALTHCHECK {Test:[CMD-SHELL test -e /v] Interval:1m30s Timeout:0s StartPeriod:0s"
            " StartInterval:0s Retries:3}",
            'CMD ["/bin/sh" "-ec" "echo hi"]',
            "SHELL [/bin/sh -ec]",
            "STOPSIGNAL SIGUSR1",
            "RUN |1 V=1 /bin/sh -c true # buildkit",
            "WORKDIR /w",
            "USER 5:6",
            "VOLUME [/v]",
            "EXPOSE [53/udp 80/tcp]",
            "LABEL x=y",
            "ENV A=b C=d e",
            "ARG V=1",
        )
    ]


def test_build_arguments_reach_commands_but_not_the_image(builder: Builder) -> None:
    dockerfile = "FROM base\nARG WORD=none\nRUN echo $WORD $HTTP_PROXY > /word\n"
    builder.ok(dockerfile, "--build-arg", "WORD=given", "--build-arg", "HTTP_PROXY=http://p")
    assert builder.read("/word") == "given http://p\n"
    assert "WORD" not in json.dumps(builder.inspect()["Config"])
    shown = builder.ok(dockerfile, "--build-arg", "WORD=given", "--build-arg", "HTTP_PROXY=other")
    assert "[2/2] RUN echo given $HTTP_PROXY > /word" in cached(shown)
    shown = builder.ok(dockerfile, "--build-arg", "WORD=another")
    assert builder.read("/word") == "another\n"


def test_run_works_in_shell_exec_and_heredoc_form(builder: Builder) -> None:
    builder.ok(
        'FROM base\nRUN ["/bin/sh", "-c", "echo exec > /exec"]\n'
        "RUN <<EOF\necho one > /here\necho two >> /here\nEOF\n"
        "RUN <<EOF\n#!/bin/cat\nEOF\n"
        "RUN cat <<A > /a && cat <<B > /b\nin a\nA\nin b\nB\n"
        'SHELL ["/bin/sh", "-x", "-c"]\nRUN echo $0 > /shell\n'
    )
    assert builder.read("/exec") == "exec\n"
    assert builder.read("/here") == "one\ntwo\n"
    assert (builder.read("/a"), builder.read("/b")) == ("in a\n", "in b\n")


def test_copy_sets_owners_and_modes_and_expands_patterns(builder: Builder) -> None:
    builder.put("d/x", "x", 0o640)
    builder.put("d/sub/y", "y")
    builder.put("one", "1")
    builder.put("two", "2")
    builder.ok(
        "FROM base\nWORKDIR /w\nCOPY d/ /whole/\nCOPY --chown=user:staff one /owned\n"
        "COPY --chown=9 --chmod=u=rwX,go=rX d /ids\nCOPY o* tw? many/\nCOPY --chmod=0711 one .\n"
        "COPY --parents d/sub/y /kept/\nCOPY --parents d/./sub /pivot/\n"
        "COPY --exclude=sub d /without/\nCOPY <<name <<other /texts/\nfirst\nname\nsecond\nother\n"
    )
    files = builder.files()
    assert files["whole/x"].mode == 0o640
    assert (files["whole/x"].uid, files["whole/x"].gid) == (0, 0)
    assert (files["owned"].uid, files["owned"].gid) == (1000, 50)
    assert (files["ids/x"].uid, files["ids/x"].gid, files["ids/x"].mode) == (9, 9, 0o744 - 0o100)
    assert {"w/many/one", "w/many/two", "kept/d/sub/y", "pivot/sub/y"} <= files.keys()
    assert files["w/one"].mode == 0o711
    assert "without/x" in files
    assert "without/sub" not in files
    assert builder.read("/texts/other") == "second\n"


def test_dockerignore_excludes_files(builder: Builder) -> None:
    builder.put("keep/a", "a")
    builder.put("keep/b.log", "b")
    builder.put("secret/x", "x")
    builder.put("secret/y", "y")
    builder.put(".dockerignore", "**/*.log\nsecret\n!secret/y\n")
    builder.ok("FROM base\nCOPY . /all/\n")
    names = {name for name in builder.files() if name.startswith("all/")}
    assert {"all/keep/a", "all/secret/y"} <= names
    assert not {"all/keep/b.log", "all/secret/x"} & names
    builder.fails("FROM base\nCOPY secret/x /\n")


def test_copy_follows_a_linked_destination_and_refuses_a_directory_over_a_link(
    builder: Builder,
) -> None:
    builder.put("one", "1")
    builder.put("tree/link/f", "f")
    builder.ok("FROM base\nRUN mkdir /real && ln -s real /link\nCOPY one /link/\n")
    assert "real/one" in builder.files()
    shown = builder.fails("FROM base\nRUN mkdir /real && ln -s real /link\nCOPY tree /\n")
    assert "cannot copy to non-directory: /link" in shown


def test_onbuild_triggers_of_the_base_run_first(builder: Builder) -> None:
    builder.ok("FROM base\nONBUILD RUN echo trigger > /t\nONBUILD COPY f /f\n", "-t", "parent")
    builder.put("f", "file")
    builder.ok("FROM parent\nRUN cat /t /f > /both\n")
    assert builder.read("/both") == "trigger\nfile"
    assert (
        "OnBuild" not in builder.inspect()["Config"] or not builder.inspect()["Config"]["OnBuild"]
    )


def test_the_host_can_be_a_build_stage(builder: Builder) -> None:
    builder.put("f", "from the context\n")
    builder.ok(
        "FROM host AS tools\nWORKDIR /sbx\nCOPY f .\nRUN cat f > made && uname > name\n"
        "FROM scratch\nCOPY --from=tools /sbx/made /sbx/name /\n"
    )
    assert builder.read("/made") == "from the context\n"
    assert not pathlib.Path("/sbx").exists()
    shown = builder.fails("FROM host\nRUN true\n")
    assert "the machine's files are no layer" in shown


def test_a_build_leaves_nothing_but_its_cache(builder: Builder) -> None:
    builder.ok("FROM base\nRUN echo 1 > /one\n")
    assert list((builder.engine.store / "tmp").iterdir()) == []
    assert builder.engine.ok("ps", "-aq") == ""
    runtime = pathlib.Path(builder.engine.environ["XDG_RUNTIME_DIR"]) / "sandbox"
    assert [path.name for path in runtime.iterdir() if path.is_dir()] == []
    assert "problem" not in builder.engine.ok("system", "fsck")

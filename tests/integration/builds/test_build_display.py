# SPDX-License-Identifier: MIT
"""Progress of a build on a terminal, as JSON and in plain lines, and its error messages."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess

import pytest

from tests.harness.builds import Builder
from tests.harness.command import Sandbox
from tests.harness.screen import Terminal

pytestmark = pytest.mark.guest


def test_a_terminal_shows_running_steps_with_output_and_finished_steps(
    builder: Builder,
) -> None:
    builder.put("Dockerfile", "FROM base\nRUN echo seen; cat /bound/gate\nRUN echo over\n")
    gate = builder.context / "gate"
    subprocess.run(["mkfifo", gate], check=True)
    screen = Terminal(
        builder.engine, "build", "-t", "made", "-v", f"{builder.context}:/bound",
        str(builder.context),
    )  # fmt: skip
    screen.see("[+] Building", "=> [2/3] RUN echo seen", "=> => # seen")
    with gate.open("w") as file:
        file.write("through\n")
    screen.see("[3/3] RUN echo over", "exporting to image")
    screen.until(lambda: "=> => #" not in screen.text, "only finished steps")
    assert screen.ends() == 0
    again = Terminal(
        builder.engine, "build", "-v", f"{builder.context}:/bound", str(builder.context)
    )
    again.see("CACHED [2/3]", "CACHED [3/3]", "exporting to image")
    assert again.ends() == 0


def test_a_stage_that_ends_because_another_failed_is_canceled(builder: Builder) -> None:
    builder.put(
        "Dockerfile",
        "FROM base AS one\nRUN echo waits; sleep 1000\n"
        "FROM base AS two\nRUN echo fails; cat /bound/gate; exit 3\n"
        "FROM base\nCOPY --from=one /etc /a\nCOPY --from=two /etc /b\n",
    )
    gate = builder.context / "gate"
    subprocess.run(["mkfifo", gate], check=True)
    screen = Terminal(
        builder.engine, "build", "-v", f"{builder.context}:/bound", str(builder.context)
    )
    screen.see("=> => # waits", "=> => # fails")
    with gate.open("w") as file:
        file.write("through\n")
    screen.see("=> CANCELED [one 2/2] RUN echo waits", "=> ERROR [two 2/2] RUN echo fails")
    assert screen.ends() == 1


def test_an_interrupt_ends_the_build_and_its_command(builder: Builder) -> None:
    builder.put("Dockerfile", "FROM base\nRUN echo seen; sleep 1000\n")
    screen = Terminal(builder.engine, "build", str(builder.context))
    screen.see("=> => # seen")
    screen.keys("\x03")
    assert screen.ends() == 130
    builder.engine.ok("builder", "prune", "-f")
    assert list((builder.engine.store / "tmp").iterdir()) == []


def test_raw_json_reports_each_step_with_its_output_and_end(builder: Builder) -> None:
    dockerfile = "FROM base\nRUN echo to-out; echo to-err >&2\nRUN echo two; exit 3\n"
    builder.put("Dockerfile", dockerfile)
    done = builder.engine.call("build", "--progress", "rawjson", builder.context)
    lines = done.stderr.decode().splitlines()
    documents = [json.loads(line) for line in lines if line.startswith("{")]
    vertices = [vertex for one in documents for vertex in one.get("vertexes", ())]
    logs = [log for one in documents for log in one.get("logs", ())]
    [begun, ended] = [one for one in vertices if "[2/3]" in one["name"]]
    assert begun["digest"] == ended["digest"]
    assert begun["digest"].startswith("sha256:")
    assert "completed" not in begun
    assert ended["started"] == begun["started"] <= ended["completed"]
    said = {(log["stream"], base64.b64decode(log["data"])) for log in logs
            if log["vertex"] == begun["digest"]}  # fmt: skip
    assert said == {(1, b"to-out\n"), (2, b"to-err\n")}
    [_, failed] = [one for one in vertices if "[3/3]" in one["name"]]
    assert failed["error"].endswith("did not complete successfully: exit code: 3")
    assert lines[-1].startswith("ERROR: failed to solve: process")


def test_quiet_prints_only_the_id_and_errors(builder: Builder) -> None:
    builder.put("Dockerfile", "FROM base\nRUN echo said\n")
    done = builder.engine.call("build", "-q", "-t", "made", builder.context)
    assert done.stdout.decode() == builder.inspect()["Id"] + "\n"
    assert done.stderr == b""
    builder.put("Dockerfile", "FROM base\nRUN echo said; false\n")
    done = builder.engine.call("build", "-q", builder.context)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"said" in done.stderr
    done = builder.engine.call("build", "--progress", "loud", builder.context)
    assert "invalid progress mode 'loud'" in done.stderr.decode()


FAILURES = {
    "FROM base\nSTOPSIGNAL SIGNONE\n": (2, "invalid signal: SIGNONE"),
    "FROM base\nARG S=SIGX\nSTOPSIGNAL $S\n": (3, "invalid signal: SIGX"),
    "FROM base\nRUN --mount=type=tmpfs,target=/ true\n": (2, "invalid mount target"),
    "FROM base\nRUN --mount=type=bind,target=.. true\n": (2, "invalid mount target"),
    "FROM base\nRUN --mount=type=cache,target=/. true\n": (2, "invalid mount target"),
    "FROM base\nRUN --security=insecure true\n": (2, "is not allowed"),
    "FROM base\nRUN --device=gpu true\n": (2, "RUN --device is not supported"),
    "FROM base\nCOPY --from=more f /\n": (2, "not a directory"),
    "FROM base\n\nFROM more\n": (3, "it is no base of a stage"),
    "ARG A=1\nFROM none.example/image:$A\n": (2, "failed to resolve source metadata"),
    "FROM base\nCOPY --chown=nobody-here Dockerfile /\n": (2, "nobody-here"),
    "FROM base\nCOPY --chmod=rwx Dockerfile /\n": (2, "invalid chmod parameter"),
    "FROM host\nRUN true\n": (1, "the machine's files are no layer"),
    "FROM host AS one\nFROM one\n": (2, "which is based on the image 'host'"),
}


@pytest.mark.parametrize("dockerfile", FAILURES)
def test_every_failure_shows_its_line_in_the_dockerfile(dockerfile: str, builder: Builder) -> None:
    number, reason = FAILURES[dockerfile]
    folder = builder.put("folder/file").parent
    place = builder.context / "absent" if "--from=more" in dockerfile else folder
    shown = builder.fails(dockerfile, "--build-context", f"more={place}").splitlines()
    assert f"Dockerfile:{number}" in shown
    assert any(line.strip().startswith(f"{number} | >>>") for line in shown)
    assert shown[-1].startswith("ERROR: ")
    assert reason in shown[-1]


REFUSED = {
    ("--platform", "linux/amd64,linux/arm64"): "several platforms at once are not supported",
    ("-o", "type=oci,dest=x,compression=zstd"): "compression=zstd in --output is not supported",
    ("-o", "type=oci,dest=x,tar=false"): "tar=false in --output is not supported",
    ("-o", "type=local,dest=x,name=y,odd=1"): "unknown key 'odd'",
    ("-o", "type=none"): "exporter 'none' could not be found",
    ("--annotation", "index:a=b"): "index annotations not supported",
    ("--annotation", "odd:a=b"): "unknown annotation type 'odd'",
    ("--annotation", "a"): "expected key=value",
    ("--cache-to", "type=gha"): "'gha' is not supported",
    ("--cache-to", "type=local,dest=x,compression=zstd"): "compression=zstd in --cache-to",
}


@pytest.mark.parametrize("flags", REFUSED, ids=" ".join)
def test_unsupported_flags_are_refused_before_anything_is_built(
    flags: tuple[str, ...], sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    done = sandbox.call("build", *flags, tmp_path)
    assert done.returncode in (1, 125), "125 means an unknown flag"
    [line] = done.stderr.decode().splitlines()
    assert REFUSED[flags] in line
    assert not (sandbox.store / "images").exists()


@pytest.mark.parametrize("flag", ["--memory", "--shm-size"])
def test_a_limit_of_a_build_is_taken_with_a_line_that_says_that_it_has_no_effect(
    flag: str, sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    done = sandbox.call("build", flag, "1g", tmp_path)
    assert done.returncode == 0
    assert f"{flag} has no effect" in done.stderr.decode().splitlines()[0]


def test_a_missing_context_is_reported_without_a_build(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    shown = sandbox.call("build", "-q", tmp_path / "none").stderr.decode()
    assert shown == f"ERROR: unable to prepare context: path '{tmp_path}/none' not found\n"
    (tmp_path / "empty").mkdir()
    shown = sandbox.call("build", "-q", tmp_path / "empty").stderr.decode()
    assert shown.startswith("ERROR: failed to solve: failed to read dockerfile: open Dockerfile")

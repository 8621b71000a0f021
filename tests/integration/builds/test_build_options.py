# SPDX-License-Identifier: MIT
"""Flags of `build`, each tested by its effect."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import os
import pathlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.harness import images, registry
from tests.harness.builds import Builder

if TYPE_CHECKING:
    from tests.harness.registry import Server

pytestmark = pytest.mark.guest


def test_one_job_builds_stages_one_after_the_other(builder: Builder) -> None:
    log = builder.put("log", mode=0o666)
    stages = "".join(
        f"FROM base AS s{n}\nRUN echo begin >> /bound/log; sleep 0.{n}; echo end >> /bound/log\n"
        for n in range(3)
    )
    copies = "".join(f"COPY --from=s{n} /data /{n}\n" for n in range(3))
    builder.put(".dockerignore", "log")
    builder.ok(f"{stages}FROM scratch\n{copies}", "--jobs", "1", "-v", f"{builder.context}:/bound")
    assert log.read_text().split() == ["begin", "end"] * 3


def test_two_jobs_build_two_stages_at_once(builder: Builder) -> None:
    for name in ("a", "b"):
        os.mkfifo(builder.context / name)
    builder.put(".dockerignore", "*")
    meeting = (
        "FROM base AS one\nRUN echo 1 > /bound/a; cat /bound/b > /got\n"
        "FROM base AS two\nRUN cat /bound/a > /got; echo 2 > /bound/b\n"
        "FROM scratch\nCOPY --from=one /got /1\nCOPY --from=two /got /2\n"
    )
    builder.ok(meeting, "--jobs", "2", "-v", f"{builder.context}:/bound")
    assert (builder.read("/1"), builder.read("/2")) == ("2\n", "1\n")


def test_a_label_of_the_command_line_overrides_one_of_the_dockerfile(builder: Builder) -> None:
    builder.ok("FROM base\nLABEL a=file b=file\n", "--label", "a=line", "--label", "c=d=e")
    assert builder.inspect()["Config"]["Labels"] == {"a": "line", "b": "file", "c": "d=e"}


def test_the_platform_is_in_the_build_arguments_and_the_image(builder: Builder) -> None:
    dockerfile = (
        "FROM base\nARG TARGETPLATFORM\nARG TARGETARCH\nRUN echo $TARGETPLATFORM $TARGETARCH > /p\n"
    )
    machine = json.loads(builder.engine.ok("image", "inspect", "base"))[0]["Architecture"]
    builder.ok(dockerfile, "--platform", f"linux/{machine}")
    assert builder.read("/p") == f"linux/{machine} {machine}\n"
    assert builder.inspect()["Architecture"] == machine


def test_ulimit_applies_to_commands(builder: Builder) -> None:
    builder.ok("FROM base\nRUN ulimit -n > /limit\n", "--ulimit", "nofile=99:99")
    assert builder.read("/limit") == "99\n"


@pytest.mark.usefixtures("online")
def test_a_newer_base_is_only_pulled_with_pull(builder: Builder, plain: Server) -> None:
    def publish(text: str) -> None:
        layer = images.tar([images.file("which", text)])
        config = json.dumps(images.config_for([layer])).encode()
        registry.put_image(plain, "bases/moving", "1", [gzip.compress(layer)], config)

    name = f"{plain.host}/bases/moving:1"
    publish("old")
    builder.engine.ok("pull", "-q", name)
    publish("new")
    builder.ok(f"FROM {name}\n")
    assert builder.read("/which") == "old"
    builder.ok(f"FROM {name}\n", "--pull")
    assert builder.read("/which") == "new"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_keep_git_dir_keeps_the_git_directory(builder: Builder, tmp_path: pathlib.Path) -> None:
    source, served = tmp_path / "source", tmp_path / "served"
    source.mkdir()
    (source / "f").write_text("f")
    identity = ("-c", "user.name=n", "-c", "user.email=e@e", "-c", "init.defaultBranch=main")
    for words in (
        ("init", "-q"), ("add", "."), ("commit", "-qm", "1"),
        ("clone", "-q", "--bare", str(source), str(served / "repo.git")),
    ):  # fmt: skip
        subprocess.run(["git", *identity, *words], cwd=source, check=True, capture_output=True)
    subprocess.run(["git", "update-server-info"], cwd=served / "repo.git", check=True)
    with registry.serving(functools.partial(Quiet, directory=str(served))) as port:  # type: ignore[arg-type]
        url = f"http://127.0.0.1:{port}/repo.git"
        builder.ok(
            f"FROM scratch\nADD {url}#main /without/\nADD --keep-git-dir=true {url}#main /with/\n"
        )
    files = builder.files()
    assert {"without/f", "with/f", "with/.git/HEAD"} <= set(files)
    assert "without/.git" not in files

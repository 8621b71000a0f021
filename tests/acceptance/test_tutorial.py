# SPDX-License-Identifier: MIT
"""The pages that a newcomer follows: each command is run as it stands, and prints what is shown.

In a page, a block of `sh` is what one types, and the block of `text` behind it holds lines that
are then printed. Only ports are changed, as the machine may use them.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.harness.command import ROOT, Sandbox
from tests.harness.network.ports import free_port

pytestmark = [pytest.mark.guest, pytest.mark.slow]

PAGES = ["tutorial.md", "how-to/benchmark.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(toolchain_image: Sandbox, tmp_path: pathlib.Path) -> Iterator[dict[str, str]]:
    """The environment of a shell whose `sandbox` has the images that the pages pull."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sandbox").write_text(f'#!/bin/sh\nexec {sys.executable} -m sandbox "$@"\n')
    (programs / "sandbox").chmod(0o755)
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    environ = {**toolchain_image.environment(), "XDG_RUNTIME_DIR": str(runtime)}
    environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    for name in ("debian:12", "python:3.12"):
        toolchain_image.ok("tag", "toolchain", name)
    yield environ
    box = Sandbox(toolchain_image.store, {"XDG_RUNTIME_DIR": str(runtime)})
    ids = box.ok("ps", "-aq").split()
    if ids:
        box.ok("rm", "-f", *ids)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works_and_prints_what_it_shows(
    shell: dict[str, str], tmp_path: pathlib.Path, page: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    text = (ROOT / "docs" / page).read_text().replace("8081", str(free_port()))
    printed = ""
    for language, block in BLOCK.findall(text):
        if language == "sh":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                cwd=folder,
                env=shell,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=200,
                check=False,
            )
            printed = done.stdout
            assert done.returncode == 0, f"{block}\n{printed}"
        elif language == "text" and printed:
            assert [line for line in block.splitlines() if line not in printed] == []

# SPDX-License-Identifier: MIT
"""Limits for the work of a build: function calls and bytes, since time depends on the load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.harness import images
from tests.harness.builds import Builder

pytestmark = pytest.mark.guest

MANY = 5000
COUNT = """
import json, sys
from sandbox.cli.main import main

def read():
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])

def count(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")

assert main(sys.argv[1:]) == 0  # imports modules and makes files that are made once
calls, before = 0, read()
sys.setprofile(count)
assert main(sys.argv[1:]) == 0
sys.setprofile(None)
print(json.dumps([calls, read() - before]))
"""


def work(builder: Builder, dockerfile: str, *flags: str) -> tuple[int, int]:
    """Build twice; return the function calls and the bytes read of the second build."""
    builder.put("Dockerfile", dockerfile)
    done = subprocess.run(
        [sys.executable, "-c", COUNT, "build", "-q", *flags, str(builder.context)],
        env=builder.engine.environment(), capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    calls, read = json.loads(done.stdout.splitlines()[-1])
    return calls, read


def test_a_command_costs_the_same_on_a_base_with_thousands_of_files(
    builder: Builder,
) -> None:
    folders = [images.directory("many"), images.directory("many/0")]
    files = [images.file(f"many/0/{n}") for n in range(MANY)]
    for name, members in (("small", folders), ("large", [*folders, *files])):
        builder.put("many.tar", images.tar(members))
        builder.ok("FROM base\nADD many.tar /\n", "-t", name)
    (builder.context / "many.tar").unlink()
    small = work(builder, "FROM small\nRUN true\n", "--no-cache")
    large = work(builder, "FROM large\nRUN true\n", "--no-cache")
    assert large[0] - small[0] < MANY / 4, "files of the base are looked at"
    assert large[1] - small[1] < MANY * 20, "the table of the base is read"
    one = work(builder, "FROM large\nRUN echo 1 > /many/0/new\n", "--no-cache")
    assert one[0] - large[0] < MANY / 4


def test_a_cached_build_does_less_than_half_of_the_work(
    builder: Builder,
) -> None:
    builder.put("tree/f", "x" * 100_000)
    dockerfile = "FROM base\nCOPY tree /t\nRUN echo 1 > /one\nRUN echo 2 > /two\n"
    anew = work(builder, dockerfile, "--no-cache")
    again = work(builder, dockerfile)
    assert again[0] < anew[0] / 2

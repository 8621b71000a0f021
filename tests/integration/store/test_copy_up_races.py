# SPDX-License-Identifier: MIT
"""When processes change the same lower files at once, one of them wins each change."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

from tests.harness.command import Sandbox

WORKERS = 4
FILES = 60


# Runs in the container, in a folder with the lower files d/f0 ... d/f59, and prints a dictionary.
SCRIPT = """
import os, sys
workers, files = int(sys.argv[1]), int(sys.argv[2])
names = [f"d/f{number}" for number in range(files)]
result = {}

def together(work):
    reading, writing = os.pipe()
    for number in range(workers):
        if os.fork() == 0:
            os.write(writing, b"%d " % work(number))
            os._exit(0)
    codes = [os.wait()[1] for _ in range(workers)]
    return codes, sum(map(int, os.read(reading, 4096).split()))

def wins(call, error):
    def work(number):
        count = 0
        for name in names:
            try:
                call(name, number)
            except error:
                continue
            count += 1
        return count
    return work

def append(name, number):
    fd = os.open(name, os.O_WRONLY | os.O_APPEND)
    os.write(fd, b"%d" % number)
    os.close(fd)

def create(name, number):
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

def contents():
    return sorted({"".join(sorted(open(name).read())) for name in names})

result["copied up"] = together(wins(append, ()))
result["contents"] = contents()
result["moved"] = together(wins(lambda name, number: os.rename(name, name + "-" + str(number)),
                                FileNotFoundError))
for moved in os.listdir("d"):
    os.rename("d/" + moved, "d/" + moved.split("-")[0])
result["moved back"] = contents()
result["removed"] = together(wins(lambda name, number: os.unlink(name), FileNotFoundError))
result["left"] = os.listdir("d")
result["created"] = together(wins(create, FileExistsError))
result["removed again"] = together(wins(lambda name, number: os.unlink(name), FileNotFoundError))
result["directories"] = together(wins(lambda name, number: os.mkdir(name), FileExistsError))
result["directories removed"] = together(wins(lambda name, number: os.rmdir(name),
                                              FileNotFoundError))
print(result)
"""


@pytest.fixture
def lower(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "lower"
    (folder / "d").mkdir(parents=True)
    for number in range(FILES):
        (folder / "d" / f"f{number}").write_text("z")
    return folder


def test_one_process_wins_each_change_of_a_lower_file(
    sandbox: Sandbox, lower: pathlib.Path
) -> None:
    command = [sys.executable, "-c", SCRIPT, str(WORKERS), str(FILES)]
    seen = ast.literal_eval(
        sandbox.ok("run", "--rm", "-w", str(lower), "host", *command, timeout=100)
    )
    good = [0] * WORKERS
    everyone = "".join(map(str, range(WORKERS))) + "z"
    assert seen == {
        "copied up": (good, WORKERS * FILES),
        "contents": [everyone],
        "moved": (good, FILES),
        "moved back": [everyone],
        "removed": (good, FILES),
        "left": [],
        "created": (good, FILES),
        "removed again": (good, FILES),
        "directories": (good, FILES),
        "directories removed": (good, FILES),
    }
    assert {path.read_text() for path in (lower / "d").iterdir()} == {"z"}

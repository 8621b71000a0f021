# SPDX-License-Identifier: MIT
"""The image `host` follows changes of the host's directories, and of the container's own."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

FOLDERS = 150


# Two processes of the container make files in the same untouched directory of the host, one
# directory after the other. A third process looked into it before, and looks again after each.
STORM = r"""
import os, sys
top, count = sys.argv[1], int(sys.argv[2])
makers = []
for maker in ("one", "two"):
    asks, ask = os.pipe()
    tells, tell = os.pipe()
    if os.fork() == 0:
        for number in range(count):
            os.read(asks, 1)
            open(f"{top}/d{number}/{maker}", "w").close()
            os.write(tell, b"x")
        os._exit(0)
    makers.append((maker, ask, tells))
missing = []
for number in range(count):
    folder = f"{top}/d{number}"
    assert os.path.exists(f"{folder}/there"), folder
    assert not os.path.exists(f"{folder}/one"), folder
    for _, ask, _ in makers:
        os.write(ask, b"x")
    for maker, _, tells in makers[:: 1 if number % 2 else -1]:
        os.read(tells, 1)
        if not os.path.exists(f"{folder}/{maker}"):
            missing.append((folder, maker))
print(missing)
"""


def test_a_file_that_another_process_makes_in_an_untouched_directory_is_seen_at_once(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    for number in range(FOLDERS):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}" / "there").touch()
    assert sandbox.host("python3", "-c", STORM, str(tmp_path), str(FOLDERS)) == "[]\n"
    assert sorted(os.listdir(tmp_path / "d0")) == ["there"]


LOOKER = r"""
import os, sys
for line in sys.stdin:
    word, path = line.split()
    if word == "make":
        os.makedirs(path)
        open(path + "/own", "w").close()
    print(sorted(os.listdir(path)) if os.path.isdir(path) else os.path.exists(path), flush=True)
"""


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Callable[[str, pathlib.Path], str]]:
    """Return a function that asks one process in a container of `host` what is at a path."""
    process = subprocess.Popen(
        sandbox.argv("run", "--rm", "-i", "host", "python3", "-c", LOOKER),
        env=sandbox.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    requests, answers = process.stdin, process.stdout

    def asked(word: str, path: pathlib.Path) -> str:
        requests.write(f"{word} {path}\n")
        requests.flush()
        return answers.readline().strip()

    yield asked
    requests.close()
    assert process.wait(timeout=100) == 0
    answers.close()


def test_a_process_that_looked_before_sees_what_the_host_makes_and_removes(
    ask: Callable[[str, pathlib.Path], str], tmp_path: pathlib.Path
) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    file = deep / "f"
    assert ask("look", file) == "False"
    file.touch()
    assert ask("look", file) == "True"
    file.unlink()
    assert ask("look", file) == "False"
    deep.rmdir()
    assert ask("look", deep) == "False"
    deep.parent.rmdir()
    assert ask("look", file) == "False"
    deep.mkdir(parents=True)
    file.touch()
    assert ask("look", file) == "True"
    assert ask("look", deep) == "['f']"


def test_a_directory_that_the_host_makes_is_merged_with_the_containers_one(
    ask: Callable[[str, pathlib.Path], str], tmp_path: pathlib.Path
) -> None:
    both = tmp_path / "x" / "both"
    assert ask("make", both) == "['own']"
    assert ask("look", both / "own") == "True"
    assert ask("look", both / "machine") == "False"
    both.mkdir(parents=True)
    (both / "machine").touch()
    assert ask("look", both / "own") == "True"
    assert ask("look", both / "machine") == "True"
    assert ask("look", both) == "['machine', 'own']"

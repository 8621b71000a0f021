# SPDX-License-Identifier: MIT
"""Random programs of system calls get the kernel's answers, wherever a container's files lie.

The kernel's answers were recorded with real root: `python -m tests.calls record`.
"""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.calls.accept import difference
from tests.calls.make import PATHS, Maker
from tests.calls.play import PLACES, Container, layer
from tests.harness.cbuild import BUILDS
from tests.harness.command import Sandbox

RECORDED = pathlib.Path(__file__).parents[1] / "recorded"
FILES = ("calls-seeds.json", "calls-failed.json")


@pytest.mark.guest
@pytest.mark.parametrize("place", PLACES[:4])
@pytest.mark.parametrize("file", FILES)
def test_random_programs_get_the_kernel_s_answers(
    sandbox: Sandbox, guest_program, tmp_path: pathlib.Path, place: str, file: str
) -> None:
    rows = json.loads((RECORDED / file).read_text())
    container = Container(sandbox, tmp_path / "bind")
    (tmp_path / "image.tar").write_bytes(layer(guest_program("calls", *BUILDS["static"])))
    sandbox.ok("import", tmp_path / "image.tar", "calls")
    found = container.play([row["program"] for row in rows], place)
    kind = "tree" if place == "tree" else "plain"
    assert len(found) == len(rows), found[-1:]
    wrong = [
        "\n".join([*row["program"], text])
        for row, lines in zip(rows, found, strict=True)
        if (text := difference(row[kind], lines))
    ]
    assert not wrong, "\n\n".join(wrong)


def test_a_seed_makes_the_same_program_again() -> None:
    assert Maker(7).program() == Maker(7).program()
    assert Maker(7).program() != Maker(8).program()


def test_a_program_has_at_least_five_calls_of_two_processes() -> None:
    programs = [Maker(seed).program() for seed in range(50)]
    assert min(map(len, programs)) >= 5
    assert {line[0] for program in programs for line in program} == {"0", "1"}
    assert "@" in PATHS


def test_only_what_is_documented_is_accepted() -> None:
    known = ["./k -4755 0:0 links 1"], ["./k -0755 0:0 links 1"]
    assert difference(*known) == ""
    assert difference(*known[::-1]) != ""
    after = ["0 write 0 5 1: = 5"]
    assert difference(after + known[1], after + known[0]) == ""
    assert difference(["a = 0"], ["a = EPERM"]) == "kernel:    a = 0\ncontainer: a = EPERM"
    assert difference(["a"], []) != ""

# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib

import pytest

from tests.harness.cbuild import native_build

build = native_build()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A = x y", {"A": "x y"}),
        ("A := x \\\n\t y # comment\n\n# B = z\n", {"A": "x y"}),
        ("A = x\nA += y\nB = $(A) ${A}/z", {"A": "x y", "B": "x y x y/z"}),
        ("A = $(UNKNOWN) x", {"A": "x"}),
    ],
)
def test_lists_are_read_as_by_make(text: str, expected: dict[str, str]) -> None:
    assert build.parse_make_lists(text, {}) == expected


@pytest.mark.parametrize("text", ["ifdef X", "A ?= b", "all: x", "\tgcc"])
def test_other_syntax_of_make_is_refused(text: str) -> None:
    with pytest.raises(build.BuildError, match=r"sources\.mk: cannot read"):
        build.parse_make_lists(text, {})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#define SB_A 12", "#define SB_A 12"),
        ("#define SB_A 0x1F /* why */", "#define SB_A 0x1F /* why */"),
        ("#define SB_A (1 << 3)", "#define SB_A ..."),
        ("#define SB_A SB_B", "#define SB_A ..."),
    ],
)
def test_cffi_gets_numbers_and_leaves_other_constants_to_the_compiler(
    line: str, expected: str
) -> None:
    assert build.constant(line) == expected


def test_cdef_only_has_constants_as_preprocessor_lines() -> None:
    lines = [line for line in build.abi_cdef().splitlines() if line.lstrip().startswith("#")]
    assert lines
    assert all(line.lstrip().startswith("#define SB_") for line in lines)


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "part.h").write_text("#define ANSWER 42\n")
    path = tmp_path / "unit.c"
    path.write_text('#include "part.h"\nint answer(void) { return ANSWER; }\n')
    return path


def age(path: pathlib.Path, seconds: int) -> None:
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def test_an_object_is_only_rebuilt_after_a_change(source: pathlib.Path) -> None:
    header = source.with_name("part.h")
    for path in (source, header):
        age(path, 100)

    def compiled(*flags: str) -> int:
        return build.compile_object(source, source.parent, flags).stat().st_ino

    first = compiled()
    assert compiled() == first
    header.write_text("#define ANSWER 43\n")
    age(header, -2)
    second = compiled()
    assert second != first
    age(header, 100)
    third = compiled()
    assert compiled("-O1") != third


def test_a_compiler_error_is_shown(source: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    source.write_text("int broken(\n")
    with pytest.raises(build.BuildError, match="failed: "):
        build.compile_object(source, source.parent, [])
    assert "unit.c:1" in capfd.readouterr().err


def test_linking_replaces_the_old_file_atomically(source: pathlib.Path) -> None:
    target = source.with_name("lib.so")
    target.write_bytes(b"old")
    with target.open("rb") as old:
        build.link(target, ["gcc", "-shared", "-fPIC", str(source)])
        assert old.read() == b"old"
    assert target.read_bytes()[:4] == b"\x7fELF"
    assert sorted(p.name for p in source.parent.iterdir() if p.name.startswith(".")) == []


def test_an_object_of_a_killed_compiler_is_compiled_again(source: pathlib.Path) -> None:
    made = build.compile_object(source, source.parent, [])
    made.with_suffix(".d").write_text("")
    made.write_bytes(b"half an object")
    age(source, 100)
    age(source.with_name("part.h"), 100)
    again = build.compile_object(source, source.parent, [])
    assert again.read_bytes()[:4] == b"\x7fELF"

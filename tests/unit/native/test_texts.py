# SPDX-License-Identifier: MIT
"""Copies of program files with rewritten call sites."""

from __future__ import annotations

import errno
import pathlib
import shutil
import subprocess

import pytest

from sandbox.errors import NativeError
from sandbox.native import texts

SOURCE = "int main(void) { return 0; }"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Give a static program: it has the C library's call sites in its text."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "main.c").write_text(SOURCE)
    compiler = shutil.which("gcc")
    assert compiler
    subprocess.run(
        [compiler, "-static", "-o", folder / "main", folder / "main.c"], check=True, timeout=60
    )
    return folder / "main"


def sites(path: pathlib.Path) -> set[texts.Site]:
    """Return the sites of the form mov $nr,%eax; syscall."""
    data = path.read_bytes()
    found = set()
    at = data.find(b"\x0f\x05")
    while at >= 0:
        if data[at - 5] == 0xB8 and data[at - 6] & 0xF0 != 0x40:
            found.add((at + 2, int.from_bytes(data[at - 4 : at], "little")))
        at = data.find(b"\x0f\x05", at + 1)
    return {(offset, number) for offset, number in found if number < 500}


def test_a_copy_has_the_size_of_the_original_and_other_bytes_at_its_sites(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    wanted = set(sorted(sites(program))[:8])
    done = texts.build(str(program), str(tmp_path / "copy"), wanted)
    before, after = program.read_bytes(), (tmp_path / "copy").read_bytes()
    assert 0 < done <= len(wanted)
    assert len(after) == len(before)
    jumps = [offset for offset, _ in wanted if after[offset - 7] == 0xE9]
    assert len(jumps) == done
    assert all(after[offset - 2 : offset] == b"\x0f\x05" for offset in jumps)


def test_every_site_that_loads_its_number_is_rewritten(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Bytes that could pass for a jump into one are everywhere in a text of this size."""
    wanted = sorted(sites(program))
    for number in range(0, len(wanted), 20):
        few = set(wanted[number : number + 20])
        assert texts.build(str(program), str(tmp_path / f"copy{number}"), few) == len(few)


def test_a_site_that_is_none_is_left_alone(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(NativeError) as error:
        texts.build(str(program), str(tmp_path / "copy"), {(0x1000, 1), (2**31, 1), (7, 0)})
    assert error.value.errno == errno.ENOSPC
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF" + b"\xff" * 200])
def test_a_file_that_is_no_program_is_refused(tmp_path: pathlib.Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NativeError):
        texts.build(str(tmp_path / "file"), str(tmp_path / "copy"), {(100, 1)})


def test_damaged_programs_never_crash_the_builder(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    whole = bytearray(program.read_bytes()[:65536])
    wanted = sites(program)
    for at in range(0, 1024, 3):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (tmp_path / "file").write_bytes(damaged)
        (tmp_path / "copy").unlink(missing_ok=True)
        try:
            texts.build(str(tmp_path / "file"), str(tmp_path / "copy"), wanted)
        except NativeError:
            continue

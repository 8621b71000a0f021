# SPDX-License-Identifier: MIT
"""Copies of program files with rewritten call sites."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

from sandbox.native import rewritten_files

SOURCE = "int main(void) { return 0; }"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a static program, which contains the C library's call sites."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "main.c").write_text(SOURCE)
    compiler = shutil.which("gcc")
    assert compiler
    subprocess.run(
        [compiler, "-static", "-o", folder / "main", folder / "main.c"], check=True, timeout=100
    )
    return folder / "main"


def code(program: pathlib.Path) -> tuple[int, int]:
    """Return where the section of code begins and ends in the file."""
    shown = subprocess.run(
        ["readelf", "-SW", program], capture_output=True, text=True, check=True, timeout=100
    ).stdout
    words = next(line for line in shown.splitlines() if " .text " in line).split(".text")[1].split()
    return int(words[2], 16), int(words[2], 16) + int(words[3], 16)


def sites(program: pathlib.Path) -> list[int]:
    """Return the offsets behind each mov $nr,%eax; syscall."""
    data, (start, end) = program.read_bytes(), code(program)
    found = []
    at = data.find(b"\x0f\x05", start)
    while 0 <= at < end:
        number = int.from_bytes(data[at - 4 : at], "little")
        if data[at - 5] == 0xB8 and data[at - 6] & 0xF0 != 0x40 and number < 500:
            found.append(at + 2)
        at = data.find(b"\x0f\x05", at + 1)
    return found


def test_a_copy_only_differs_from_the_original_at_rewritten_sites(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    wanted = sites(program)[:8]
    before = program.read_bytes()
    done, are_sites = rewritten_files.build(before, str(tmp_path / "copy"), wanted)
    after = (tmp_path / "copy").read_bytes()
    assert 0 < done <= len(wanted)
    assert all(are_sites)
    assert len(after) == len(before)
    jumps = [offset for offset in wanted if after[offset - 7] == 0xE9]
    assert len(jumps) == done
    assert all(after[offset - 2 : offset] == b"\x0f\x05" for offset in jumps)


def test_every_site_that_loads_its_number_is_rewritten(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A program of this size has many bytes that look like a jump into a site."""
    wanted = sites(program)
    for number in range(0, len(wanted), 20):
        few = wanted[number : number + 20]
        done, _ = rewritten_files.build(program.read_bytes(), str(tmp_path / f"{number}"), few)
        assert done == len(few)


def test_an_offset_without_a_site_changes_nothing(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    data = program.read_bytes()
    done, are_sites = rewritten_files.build(data, str(tmp_path / "copy"), [7, 0x1000, 2**31])
    assert (done, any(are_sites)) == (0, False)
    assert not (tmp_path / "copy").exists()


def test_no_offset_but_those_of_system_calls_is_accepted(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A hostile guest may name any offset."""
    data, (start, end) = program.read_bytes(), code(program)
    offsets = list(range(start, min(end, start + 300_000)))
    _, are_sites = rewritten_files.build(data, str(tmp_path / "copy"), offsets)
    accepted = {offset for offset, is_site in zip(offsets, are_sites, strict=True) if is_site}
    assert {offset for offset in sites(program) if offset < offsets[-1]} <= accepted
    assert all(data[offset - 2 : offset] == b"\x0f\x05" for offset in accepted)


def test_the_bytes_of_a_call_inside_another_instruction_are_no_site(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """movabs $0x50f0000010bb8,%rax holds mov $0x10b,%eax; syscall."""
    data, (start, _) = bytearray(program.read_bytes()), code(program)
    hidden = bytes.fromhex("48b8b80b0100000f0590904889c7")
    honest = bytes.fromhex("90" * 6 + "b80b0100000f05" + "4889c7")
    for number, text in enumerate((hidden, honest)):
        at = start + 0x800
        data[at - 0x200 : at + 0x200] = b"\x90" * 0x400
        data[at : at + len(text)] = text
        after = at + text.index(b"\x0f\x05") + 2
        done, _ = rewritten_files.build(bytes(data), str(tmp_path / f"copy{number}"), [after])
        assert done == number


def test_nothing_outside_of_the_code_is_a_site(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    data, (_, end) = bytearray(program.read_bytes()), code(program)
    text = bytes.fromhex("90" * 16 + "b80b0100000f05" + "90" * 16)
    place = data.index(bytes(64), end)
    data[place : place + len(text)] = text
    after = place + text.index(b"\x0f\x05") + 2
    assert rewritten_files.build(bytes(data), str(tmp_path / "copy"), [after])[0] == 0


def test_two_sites_that_share_bytes_are_not_both_rewritten(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    wanted = sites(program)[0]
    done, _ = rewritten_files.build(program.read_bytes(), str(tmp_path / "copy"), [wanted, wanted])
    assert done == 1


@pytest.mark.parametrize("content", [b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF" + b"\xff" * 200])
def test_a_file_that_is_not_an_elf_program_is_left_alone(
    tmp_path: pathlib.Path, content: bytes
) -> None:
    assert rewritten_files.build(content, str(tmp_path / "copy"), [100]) == (0, [False])
    assert not (tmp_path / "copy").exists()


def test_damaged_programs_never_crash_the_builder(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    whole = bytearray(program.read_bytes())
    table = int.from_bytes(whole[40:48], "little")
    wanted = sites(program)[:50]
    for at in [*range(0, 1024, 3), *range(table, len(whole), 7)]:
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (tmp_path / "copy").unlink(missing_ok=True)
        rewritten_files.build(bytes(damaged), str(tmp_path / "copy"), wanted)

# SPDX-License-Identifier: MIT
"""Copies of program files with rewritten call sites."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from sandbox.errors import NativeError
from sandbox.native import rewritten_files
from tests.harness.command import ROOT

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


def sites(path: pathlib.Path) -> set[rewritten_files.Site]:
    """Return the call sites of the form mov $nr,%eax; syscall."""
    data = path.read_bytes()
    found = set()
    at = data.find(b"\x0f\x05")
    while at >= 0:
        if data[at - 5] == 0xB8 and data[at - 6] & 0xF0 != 0x40:
            found.add((at + 2, int.from_bytes(data[at - 4 : at], "little")))
        at = data.find(b"\x0f\x05", at + 1)
    return {(offset, number) for offset, number in found if number < 500}


def test_a_copy_only_differs_from_the_original_at_rewritten_sites(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    wanted = set(sorted(sites(program))[:8])
    done = rewritten_files.build(str(program), str(tmp_path / "copy"), wanted)
    before, after = program.read_bytes(), (tmp_path / "copy").read_bytes()
    assert 0 < done <= len(wanted)
    assert len(after) == len(before)
    jumps = [offset for offset, _ in wanted if after[offset - 7] == 0xE9]
    assert len(jumps) == done
    assert all(after[offset - 2 : offset] == b"\x0f\x05" for offset in jumps)


def test_every_site_that_loads_its_number_is_rewritten(
    program: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A program of this size has many bytes that look like a jump into a site."""
    wanted = sorted(sites(program))
    for number in range(0, len(wanted), 20):
        few = set(wanted[number : number + 20])
        assert rewritten_files.build(str(program), str(tmp_path / f"copy{number}"), few) == len(few)


def test_an_invalid_site_is_not_rewritten(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(NativeError) as error:
        rewritten_files.build(
            str(program), str(tmp_path / "copy"), {(0x1000, 1), (2**31, 1), (7, 0)}
        )
    assert error.value.errno == errno.ENOSPC
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF" + b"\xff" * 200])
def test_a_file_that_is_not_an_elf_program_is_refused(
    tmp_path: pathlib.Path, content: bytes
) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NativeError):
        rewritten_files.build(str(tmp_path / "file"), str(tmp_path / "copy"), {(100, 1)})


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
            rewritten_files.build(str(tmp_path / "file"), str(tmp_path / "copy"), wanted)
        except NativeError:
            continue


def test_two_containers_that_end_at_once_keep_each_others_sites(
    program: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "diff").mkdir()
    file = str(shutil.copy(program, tmp_path / "diff"))
    every = sorted(sites(program))[:8]
    lock, comes = threading.Lock(), threading.Event()
    original = rewritten_files.build

    @contextlib.contextmanager
    def holding(_: str) -> Iterator[None]:
        if threading.current_thread() is other:
            comes.set()
        with lock:
            yield

    def build(source: str, dest: str, wanted: set[rewritten_files.Site]) -> int:
        if not comes.is_set():
            other.start()
            assert comes.wait(100)
        return original(source, dest, wanted)

    other = threading.Thread(target=rewritten_files.renew, args=(file, set(every[4:]), holding))
    monkeypatch.setattr(rewritten_files, "build", build)
    rewritten_files.renew(file, set(every[:4]), holding)
    other.join()
    folder, inode = tmp_path / "text", os.stat(file).st_ino
    copy = (folder / str(inode)).read_bytes()
    assert [offset for offset, _ in every if copy[offset - 7] != 0xE9] == []
    noted = (folder / f"{inode}.sites").read_text()
    assert noted == "".join(f"{offset} {number}\n" for offset, number in every)


ENDED_EARLY = """
import contextlib, os, sys
from sandbox.native import rewritten_files
from tests.harness.command import ROOT
rewritten_files.build = lambda *_: os._exit(9)
sites = {(int(sys.argv[2]), int(sys.argv[3]))}
rewritten_files.renew(sys.argv[1], sites, lambda _: contextlib.nullcontext())
"""


def test_an_unfinished_copy_is_made_again(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "diff").mkdir()
    file = str(shutil.copy(program, tmp_path / "diff"))
    site = min(sites(program))
    words = [sys.executable, "-c", ENDED_EARLY, file, *map(str, site)]
    assert subprocess.run(words, check=False, timeout=100, cwd=ROOT).returncode == 9
    rewritten_files.renew(file, {site}, lambda _: contextlib.nullcontext())
    assert (tmp_path / "text" / str(os.stat(file).st_ino)).exists()

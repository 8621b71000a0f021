# SPDX-License-Identifier: MIT
"""The root file system that every way is measured on, as a tree and as an image.

`tree/` is unpacked and owned by the caller, for tools that need a directory. `image.tar` has the
owners and modes of the original, for tools that import it. Both hold the folder /bench:

    bin/         calls and timed, from programs/*.c; bin-dynamic/ the same, linked dynamically
    files/       deep/file (1000 bytes), hundred/ (100 empty files)
    work/        empty: where files are created; bound/ and volume/ are empty, too
    own-project/ a C project to make where files are created
    hello/ lua/  the sources of GNU hello and lua, to configure and to make
    project/     without those sources, a C project to make
    configure/   without those sources, a configure script
    repo/        a git repository with a clean working tree
    debs/        packages to install: ten/*.deb, and hello.deb if it was prepared

Node and a Java runtime are unpacked from the fixture `debian`, if it was prepared.

Does not know: how a tool is started, or what is measured.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.configure import write_configure
from bench.measure import QUICK
from bench.packages import unpack_runtimes, write_packages

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("calls", "own", "timed")
NEEDED = 6 << 30


class PreparationError(Exception):
    """A prepared fixture is missing."""


@dataclass(frozen=True)
class Size:
    """The amount of work in a round; ratios should not depend on it."""

    sources: int = 16
    tracked_files: int = 3000
    checks: int = 75


def default_place() -> Path:
    """Return /dev/shm if it is large and may hold programs, else build/ in the checkout.

    On ext4 the cost of creating a file depends on what was deleted in the last minute, natively
    and in a container alike. In memory, repeated runs give the same figures.
    """
    memory = Path("/dev/shm")
    with contextlib.suppress(OSError, ValueError):
        state = os.statvfs(memory)
        plenty = state.f_bavail * state.f_frsize > NEEDED and _available_memory() > NEEDED
        if plenty and not state.f_flag & os.ST_NOEXEC and os.access(memory, os.W_OK):
            return memory
    return ROOT / "build"


def _available_memory() -> int:
    text = Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) * 1024


def fixture(name: str) -> Path | None:
    """Return the folder of tests/fixtures/make-NAME, or None if it was not prepared."""
    where = os.environ.get("SANDBOX_TEST_FIXTURES") or ROOT / "build" / "fixtures"
    folder = Path(where) / name
    return folder if (folder / "ready").exists() else None


def real_sources() -> Path | None:
    """Return the folder with hello/ and lua/, or None if it was not prepared or with QUICK=1."""
    return None if QUICK else fixture("sources")


def compile_programs(folder: Path, *linking: str) -> None:
    """Compile programs/*.c into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        source = Path(__file__).parent / "programs" / f"{name}.c"
        flags = ["-std=gnu11", "-O2", *linking, "-Wall", "-Wextra"]
        subprocess.run(["gcc", *flags, str(source), "-o", str(folder / name)], check=True)


def root_file_system() -> Path:
    """Return the tar of the root file system; raises `PreparationError` if it is missing."""
    toolchain = fixture("toolchain")
    if toolchain is None:
        raise PreparationError("no root file system to measure on: see tests/fixtures/prepare.sh")
    return toolchain / "rootfs.tar"


def lay_out(folder: Path, size: Size) -> None:
    """Make new *folder*/tree and *folder*/image.tar."""
    rootfs = root_file_system()
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "tree"
    tree.mkdir(parents=True)
    plain = ["--no-same-owner", "--exclude=./dev/*"]
    subprocess.run(["tar", "-x", "-C", str(tree), *plain, "-f", str(rootfs)], check=True)
    _fill(tree / "bench", size)
    image = folder / "image.tar"
    shutil.copyfile(rootfs, image)
    _append(image, tree, ["./bench"])
    debian = fixture("debian")
    if debian:
        runtimes = unpack_runtimes(debian / "debs", folder / "runtimes")
        _append(image, runtimes, ["./etc", "./usr"])
        subprocess.run(["cp", "-a", "--remove-destination", f"{runtimes}/.", str(tree)], check=True)
        shutil.rmtree(runtimes)


def _append(image: Path, folder: Path, names: list[str]) -> None:
    owner = ["--owner=0", "--group=0"]
    subprocess.run(["tar", "-r", "-C", str(folder), *owner, "-f", str(image), *names], check=True)


def _fill(bench: Path, size: Size) -> None:
    compile_programs(bench / "bin", "-static")  # run in any tree
    compile_programs(bench / "bin-dynamic")  # for preloaded libraries, which need these
    _write_files(bench / "files")
    for name in ("work", "bound", "volume"):
        (bench / name).mkdir()
    write_project(bench / "own-project", size.sources)
    sources = real_sources()
    if sources:
        for name in ("hello", "lua"):
            shutil.copytree(sources / name, bench / name, symlinks=True)
    else:
        write_project(bench / "project", size.sources)
        write_configure(bench / "configure", size.checks)
    write_repository(bench / "repo", size.tracked_files)
    write_packages(bench / "debs" / "ten", 10)
    debian = fixture("debian")
    for package in sorted((debian / "debs").glob("hello_*.deb")) if debian else []:
        shutil.copyfile(package, bench / "debs" / "hello.deb")


def _write_files(folder: Path) -> None:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_bytes(bytes(1000))
    (folder / "hundred").mkdir()
    for number in range(100):
        (folder / "hundred" / f"file-{number}").touch()


def write_project(folder: Path, sources: int) -> None:
    """Write a C program of *sources* files, a header and a Makefile."""
    folder.mkdir()
    units = [f"unit{n}" for n in range(sources)]
    prototypes = "".join(f"int {unit}(const char *text);\n" for unit in units)
    (folder / "units.h").write_text(f"#include <stdio.h>\n#include <string.h>\n{prototypes}")
    for unit in units:
        (folder / f"{unit}.c").write_text(_source(unit))
    calls = "".join(f"\tsum += {unit}(argv[0]);\n" for unit in units)
    (folder / "main.c").write_text(
        '#include "units.h"\n\nint main(int argc, char **argv)\n{\n\tint sum = argc;\n\n'
        f'{calls}\tprintf("%d\\n", sum);\n\treturn 0;\n}}\n'
    )
    objects = " ".join(f"{unit}.o" for unit in [*units, "main"])
    (folder / "Makefile").write_text(
        f"CFLAGS = -O1 -Wall\n\nprogram: {objects}\n\t$(CC) -o $@ $^\n\n"
        f"{objects}: units.h\n\nclean:\n\trm -f program *.o\n"
    )


def _source(unit: str) -> str:
    functions = [
        f"static int {unit}_{n}(const char *text)\n{{\n"
        f"\tchar copy[{64 + n}];\n\tint sum = {n};\n\n"
        '\tsnprintf(copy, sizeof(copy), "%s %zu", text, strlen(text));\n'
        "\tfor (char *at = copy; *at; at++)\n\t\tsum = sum * 31 + (*at ^ sum >> 3);\n"
        "\treturn sum;\n}\n"
        for n in range(25)
    ]
    total = " + ".join(f"{unit}_{n}(text)" for n in range(25))
    body = "\n".join(functions)
    return (
        f'#include "units.h"\n\n{body}\nint {unit}(const char *text)\n{{\n\treturn {total};\n}}\n'
    )


def write_repository(folder: Path, files: int) -> None:
    """Make a git repository with one commit of *files* files in folders of thirty."""
    for number in range(files):
        path = folder / f"folder{number // 30}" / f"file{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file number {number}\n" * 20)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All files"]):
        command = ["git", *identity, "-c", "gc.auto=0", "-C", str(folder), *words]
        subprocess.run(command, check=True, env=environ)

# SPDX-License-Identifier: MIT
"""Compiles csrc/ twice: as the cffi extension (hosted) and as the freestanding guest ELF.

Rules: csrc/sources.mk assigns files to the two builds. csrc/base/abi.h lists what Python may see.
This file only runs the compiler. Objects are kept under build/, and rebuilt when a source or a
header that they include is newer.

Must not know: the content of any C file. It is not imported at run time: setup.py, the Makefile
(`python -P sandbox/native/build.py`) and tests/harness/cbuild.py load it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
BUILD = ROOT / "build"
NATIVE = ROOT / "sandbox" / "native"
EXTENSION = "_native.abi3.so"
GUEST = "sandbox-guest"
# The headers for cffi, in the order it reads them.
CDEF_HEADERS = (
    "base/abi.h",
    "base/net_abi.h",
    "layers/index_build.h",
    "layers/layer_table.h",
    "layers/layer_quick.h",
    "layers/rewritten_build.h",
    "hosted/tracer.h",
    "hosted/probe.h",
    "hosted/hosted.h",
)

# The warnings that the code must not cause. Only `make lint` adds -Werror, so that a newer compiler
# does not break a user's build.
WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wvla",
    "-Wswitch-enum",
    "-Wundef",
    "-Wformat=2",
    "-Wframe-larger-than=4096",
]

HOSTED_CFLAGS = ["-std=gnu11", "-O2", "-g", "-fPIC", "-fvisibility=hidden"]

GUEST_CFLAGS = [
    "-std=gnu11",
    "-O2",
    "-g",
    "-ffreestanding",  # a guest has no libc
    "-fno-builtin",
    "-fPIE",  # the code reaches the runtime's far address without a table
    "-mgeneral-regs-only",  # the signal path must not touch vector state
    "-fno-stack-protector",  # the canary would be in libc's thread-local storage
    "-fno-asynchronous-unwind-tables",
    "-fvisibility=hidden",
    "-fno-tree-loop-distribute-patterns",  # memset's loop must not call memset
]

GUEST_LDFLAGS = [
    "-nostdlib",
    "-static",
    "-no-pie",
    "-Wl,-z,defs",  # any accidental use of libc is a link error
    "-Wl,-z,norelro",
    "-Wl,-z,noexecstack",
    "-Wl,--build-id=none",
]


class BuildError(Exception):
    """A failure of the compiler or an error in sources.mk; the message is complete."""


@dataclass(frozen=True)
class Sources:
    """The content of csrc/sources.mk."""

    hosted: tuple[Path, ...]
    guest: tuple[Path, ...]
    hosted_cflags: tuple[str, ...]
    guest_cflags: tuple[str, ...]
    guest_ldflags: tuple[str, ...]


def architecture() -> str:
    """Return the name of the folder below csrc/arch for this machine. Raises BuildError."""
    machine = platform.machine()
    known = sorted(path.name for path in (CSRC / "arch").iterdir())
    if machine not in known:
        raise BuildError(f"{machine} is not supported yet: only {', '.join(known)}")
    return machine


def parse_make_lists(text: str, given: dict[str, str]) -> dict[str, str]:
    r"""Parse lines such as `NAME := a b`, `NAME += c`, and expand `$(NAME)`.

    >>> parse_make_lists("A := x \\\n y # no\nB = $(A) $(ARCH)/z\nB += w", {"ARCH": "c"})
    {'ARCH': 'c', 'A': 'x y', 'B': 'x y c/z w'}
    """
    values = dict(given)
    text = re.sub(r"\\\n\s*", "", re.sub(r"\s*\\\n", r" \\\n", text))
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"(\w+)\s*(:=|\+=|=)\s*(.*)", line)
        if match is None:
            raise BuildError(f"csrc/sources.mk: cannot read: {line}")
        name, operator, value = match.groups()
        value = re.sub(r"\$[({](\w+)[)}]", lambda m: values.get(m[1], ""), value)
        words = value.split()
        if operator == "+=":
            words = values.get(name, "").split() + words
        values[name] = " ".join(words)
    return values


def read_sources() -> Sources:
    """Parse csrc/sources.mk. Raises BuildError if a pattern matches no file."""
    arch = architecture()
    text = (CSRC / "sources.mk").read_text() + (CSRC / "arch" / arch / "flags.mk").read_text()
    values = parse_make_lists(text, {"ARCH": arch, "CSRC": str(CSRC)})

    def files(name: str) -> tuple[Path, ...]:
        paths: list[Path] = []
        for pattern in values.get(name, "").split():
            found = sorted(CSRC.glob(pattern))
            if not found:
                raise BuildError(f"csrc/sources.mk: {name} names {pattern}, which matches no file")
            paths += found
        return tuple(paths)

    def flags(name: str) -> tuple[str, ...]:
        return tuple(shlex.split(values.get(name, "")))

    common = files("COMMON")
    return Sources(
        hosted=common + files("HOSTED_ONLY"),
        guest=common + files("GUEST_ONLY"),
        hosted_cflags=flags("HOSTED_CFLAGS"),
        guest_cflags=flags("GUEST_CFLAGS"),
        guest_ldflags=flags("GUEST_LDFLAGS"),
    )


def include_flags() -> list[str]:
    """Return the flags that let C sources include headers by their path below csrc/.

    An include without a folder is the processor's.
    """
    arch = CSRC / "arch" / architecture()
    folders = [arch, *sorted(path for path in arch.iterdir() if path.is_dir())]
    return [f"-I{CSRC}", *(f"-iquote{path}" for path in folders), f"-ffile-prefix-map={ROOT}=."]


def compiler() -> list[str]:
    """Return the command of the C compiler: $CC or gcc."""
    return shlex.split(os.environ.get("CC", "gcc"))


def run(command: Sequence[str]) -> None:
    """Run a compiler command. Raises BuildError with the compiler's output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stderr:
        sys.stderr.write(done.stderr)
    if done.returncode != 0:
        raise BuildError(f"failed: {shlex.join(command)}")


def is_current(target: Path, stamp: str) -> bool:
    """Return whether *target* is newer than its inputs, and *stamp* is its command."""
    depfile, command = target.with_suffix(".d"), target.with_suffix(".cmd")
    if not (target.exists() and depfile.exists() and command.exists()):
        return False
    if command.read_text() != stamp:
        return False
    made = target.stat().st_mtime_ns
    _, colon, names = depfile.read_text().replace("\\\n", " ").partition(":")
    try:
        return bool(colon) and all(Path(name).stat().st_mtime_ns < made for name in names.split())
    except FileNotFoundError:
        return False


def compile_object(source: Path, folder: Path, flags: Sequence[str]) -> Path:
    """Compile one file, unless its object is up to date; return the object's path."""
    stem = str(source.relative_to(CSRC) if source.is_relative_to(CSRC) else source.name)
    target = folder / (stem.replace("/", "-") + ".o")
    command = [*compiler(), *flags, "-c", str(source), "-o"]
    stamp = shlex.join(command)
    if not is_current(target, stamp):
        scratch = target.with_suffix(f".{os.getpid()}.tmp")
        depfile = str(target.with_suffix(".d"))
        run([*command, str(scratch), "-MMD", "-MF", depfile, "-MT", target.name])
        scratch.replace(target)
        target.with_suffix(".cmd").write_text(stamp)
    return target


def compile_all(sources: Sequence[Path], folder: Path, flags: Sequence[str]) -> list[Path]:
    """Compile all files of a build in parallel, one job for each core and at least two."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return list(pool.map(lambda s: compile_object(s, folder, flags), sources))


def hosted_flags(sources: Sources) -> list[str]:
    """Return the flags for the sources of levels 0 to 2, built with a libc."""
    return [*HOSTED_CFLAGS, *WARNINGS, *include_flags(), *sources.hosted_cflags]


def guest_flags(sources: Sources) -> list[str]:
    """Return the flags for the code that runs inside a guest process."""
    return [*GUEST_CFLAGS, *WARNINGS, *include_flags(), *sources.guest_cflags]


def abi_cdef() -> str:
    """Return the headers as cffi accepts them: of the preprocessor's lines only `#define`."""
    lines = []
    text = "\n".join((CSRC / name).read_text() for name in CDEF_HEADERS)
    for line in text.splitlines():
        word = re.match(r"\s*#\s*(\w+)", line)
        is_constant = re.match(r"\s*#\s*define\s+\w+\s+\S", line)
        if word is None:
            lines.append(line)
        elif word[1] == "define" and is_constant:
            lines.append(constant(line))
    return "\n".join(lines)


def constant(line: str) -> str:
    """Replace the value of a `#define` by "...", unless it is a number; the compiler knows it.

    >>> constant("#define SB_A (1 << 3)  /* eight */")
    '#define SB_A ...'
    >>> constant("#define SB_B 0x10 /* sixteen */")
    '#define SB_B 0x10 /* sixteen */'
    """
    if re.match(r"\s*#\s*define\s+\w+\s+(0x[0-9a-fA-F]+|\d+)\s*(/\*.*)?$", line):
        return line
    words = line.split(None, 2)
    return f"{words[0]} {words[1]} ..."


def write_wrapper(target: Path) -> None:
    """Write the C source of the extension, which cffi generates from the headers."""
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(abi_cdef())
    ffi.set_source("sandbox.native._native", '#include "hosted/hosted.h"', py_limited_api=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(f".{os.getpid()}.tmp.c")
    with contextlib.redirect_stdout(io.StringIO()):  # cffi prints messages
        ffi.emit_c_code(str(scratch))
    if target.exists() and target.read_text() == scratch.read_text():
        scratch.unlink()
    else:
        scratch.replace(target)


def link(target: Path, command: Sequence[str]) -> None:
    """Link to a temporary name and rename it, so that a running sandbox keeps its file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".link-") as folder:
        scratch = Path(folder) / target.name
        run([*command, "-o", str(scratch)])
        scratch.replace(target)


def build_extension(sources: Sources, destination: Path) -> Path:
    """Build `_native.abi3.so` in *destination*."""
    wrapper = BUILD / "hosted" / "_native.c"
    write_wrapper(wrapper)
    objects = compile_all(sources.hosted, BUILD / "hosted", hosted_flags(sources))
    python_include = f"-I{sysconfig.get_paths()['include']}"
    # Generated code, compiled without our warnings, which it may trigger.
    flags = [*HOSTED_CFLAGS, *include_flags(), python_include, "-w"]
    objects += compile_all([wrapper], BUILD / "hosted", flags)
    target = destination / EXTENSION
    link(target, [*compiler(), "-shared", "-pthread", *map(str, objects)])
    return target


def build_guest(sources: Sources, destination: Path) -> Path | None:
    """Build the static guest ELF in *destination*."""
    if not sources.guest:
        return None
    objects = compile_all(sources.guest, BUILD / "guest", guest_flags(sources))
    target = destination / GUEST
    script = CSRC / "arch" / architecture() / "entry" / "guest.ld"
    flags = [*GUEST_LDFLAGS, f"-Wl,-T,{script}", *sources.guest_ldflags]
    link(target, [*compiler(), *flags, *map(str, objects)])
    target.chmod(0o755)
    return target


def build(destination: Path = NATIVE) -> None:
    """Build both into *destination*. Raises BuildError."""
    if shutil.which(compiler()[0]) is None:
        raise BuildError(f"no C compiler: {compiler()[0]} is not installed")
    sources = read_sources()
    build_extension(sources, destination)
    build_guest(sources, destination)


def check(sources: Sources, extra: Sequence[str], *, guest: bool) -> None:
    """Compile everything only for the warnings (`make lint`)."""
    hosted = [*hosted_flags(sources), "-Werror", *extra]
    with tempfile.TemporaryDirectory() as folder:
        compile_all(sources.hosted, Path(folder) / "hosted", hosted)
        if guest:
            flags = [*guest_flags(sources), "-Werror", *extra]
            compile_all(sources.guest, Path(folder) / "guest", flags)


def main() -> int:
    """Build everything; with `--check`, only report warnings."""
    parser = argparse.ArgumentParser(description="compile csrc/")
    parser.add_argument("--check", action="store_true", help="warnings are errors")
    parser.add_argument("--analyze", action="store_true", help="gcc -fanalyzer, hosted")
    parser.add_argument("--only", choices=["guest", "hosted"], help="build just one")
    options = parser.parse_args()
    try:
        sources = read_sources()
        if options.check:
            check(sources, [], guest=True)
        if options.analyze:
            check(sources, ["-fanalyzer"], guest=False)
        if options.check or options.analyze:
            return 0
        if options.only != "guest":
            build_extension(sources, NATIVE)
        if options.only != "hosted":
            build_guest(sources, NATIVE)
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: MIT
"""Compile C unit tests with the hosted sources, and the programs that containers run.

Unit tests are built with ASan and UBSan. Guest programs print the kernel's answers and are
built as a test asks (static, musl, position independent). The results stay under build/, or
below TMPDIR where the checkout is read-only; the workers of pytest-xdist share them.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from types import ModuleType

ROOT = pathlib.Path(__file__).resolve().parents[2]

SANITIZE = [
    "-std=gnu11",
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
]

# Ways to build a guest program. musl's compiler lacks the kernel's headers: it takes the
# machine's, after its own.
KERNEL_HEADERS = (
    "-idirafter",
    "/usr/include",
    "-idirafter",
    f"/usr/include/{platform.machine()}-linux-gnu",
)
BUILDS = {
    "static": ("gcc", "-static"),
    "static-pie": ("gcc", "-static-pie"),
    "dynamic": ("gcc", "-pie"),
    "non-pie": ("gcc", "-no-pie"),
    "musl-static": ("musl-gcc", "-static", *KERNEL_HEADERS),
    "musl-dynamic": ("musl-gcc", *KERNEL_HEADERS),
    # 32-bit programs use three families of system calls: the oldest, those for large files, and
    # those with times of 64 bits.
    "i386": ("gcc", "-m32"),
    "i386-static": ("gcc", "-m32", "-static", "-D_FILE_OFFSET_BITS=64"),
    "i386-times": ("gcc", "-m32", "-no-pie", "-D_FILE_OFFSET_BITS=64", "-D_TIME_BITS=64"),
}


def native_build() -> ModuleType:
    """Load sandbox/native/build.py, which knows sources, include paths and warnings."""
    name = "sandbox_native_build"
    if name not in sys.modules:
        path = ROOT / "sandbox" / "native" / "build.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def object_folder(name: str) -> pathlib.Path:
    """Return a writable folder, the same one for all workers."""
    folder = ROOT / "build" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        folder = pathlib.Path(tempfile.gettempdir()) / f"sandbox-{name}-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        assert folder.stat().st_uid == os.getuid()
        return folder


def build_c_test(source: pathlib.Path) -> pathlib.Path:
    """Compile and link one tests/c/test_*.c with every hosted source."""
    native = native_build()
    folder = object_folder("asan")
    sources = native.read_sources()
    flags = [
        *SANITIZE,
        *native.WARNINGS,
        "-Wno-frame-larger-than",  # red zones of ASan make every frame larger
        *native.include_flags(),
        *sources.hosted_cflags,
    ]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects = native.compile_all([*sources.hosted, source], folder, flags)
        program = folder / source.stem
        link = [*native.compiler(), "-fsanitize=address,undefined", "-pthread"]
        native.link(program, [*link, *map(str, objects)])
    return program


GUEST_PROGRAMS = ROOT / "tests" / "guest" / "programs"


def build_guest_program(
    name: str, *command: str, programs: pathlib.Path = GUEST_PROGRAMS
) -> pathlib.Path:
    """Compile NAME.c of the folder *programs* with the given compiler and flags (gcc -static)."""
    source = programs / f"{name}.c"
    words = list(command) or ["gcc", "-static"]
    words += ["-O1", "-Wall", "-Wextra", "-pthread", str(source)]
    words += ["-I", str(GUEST_PROGRAMS), "-o"]
    headers = {*programs.glob("*.h"), *GUEST_PROGRAMS.glob("*.h")}
    texts = [path.read_bytes() for path in (source, *sorted(headers))]
    key = hashlib.sha256(repr((words, texts)).encode()).hexdigest()[:12]
    folder = object_folder("guests") / key
    target = folder / name
    if not target.exists():
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fresh = pathlib.Path(scratch) / name
            subprocess.run([*words, str(fresh)], check=True, timeout=100)
            fresh.replace(target)
    return target

# SPDX-License-Identifier: MIT
"""The rules of the code's structure, as checks: levels, sizes, who may know what.

The levels of csrc/ are written here and nowhere else; see docs/architecture.md for what
each one may know. Layers between Python packages are checked by import-linter.
"""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

from tests.harness.cbuild import native_build
from tests.tested_elsewhere import TESTED_ELSEWHERE
from tools.c_symbols import declarations, headers_for, public_symbols, row_of

ROOT = pathlib.Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"
BUILDS = (ROOT / "build" / "guest", ROOT / "build" / "hosted")

# The folders of csrc/, lowest level first. A file includes only headers of its own folder and of
# folders of a lower level, and calls only what is there. A new folder declares its place here; a
# new file has the place of its folder.
FOLDERS = {
    "arch/*": 0,  # a processor: its system call instruction, addresses, registers
    "base": 1,  # the kernel's ABI, layouts of files and shared memory
    "": 1,  # syscalls.def: which system calls are intercepted
    "pure": 2,  # paths, credentials, access lists: no I/O but a log line
    "net": 2,  # rules and tables of networks
    "arch/*/pure": 2,  # call sites of a processor; which calls of its 32-bit programs are native
    "tree": 3,  # what the merged tree is made of
    "layers": 3,  # tables of layers and indexes of images, made
    "view": 4,  # look-ups and listings of the merged tree
    "procfs": 4,  # lines of /proc
    "change": 5,  # changes of the merged tree, copy-up, the upper directory
    "hosted": 6,  # what Python calls
    "guest": 7,  # state and memory of a process in a container, and its final system calls
    "guest/ipc": 8,  # the table of System V objects
    "guest/peers": 8,  # who the other processes of the container are, and what one may do to them
    "guest/paths": 9,  # what the paths and descriptors of a call name
    "exec": 10,  # how a program is found, planned and mapped
    "arch/*/guest": 11,  # clone(2) of a processor; how its 32-bit programs start
    "calls/proc": 12,  # files of /proc that are made
    "opener": 12,  # the process that opens for a container what its fence keeps shut
    "calls/ipc": 13,  # handlers of system calls: System V objects
    "calls/net": 13,  # handlers of system calls: sockets
    "calls/fs": 14,  # handlers: files and directories
    "calls/task": 15,  # handlers: processes, credentials, signals
    "calls": 16,  # dispatch: the handler of a system call
    "arch/*/calls": 17,  # system calls of 32-bit programs
    "entry": 18,  # how control gets in and out of the runtime
    "arch/*/entry": 19,  # the same in the processor's own terms
}
HOSTED_ONLY = {"layers", "hosted"}
GUEST_ONLY_LEVEL = 7
WIDEST = 30  # entries of a folder

C_FILES = sorted(CSRC.rglob("*.[chS]")) + sorted(CSRC.rglob("*.def"))
COMMON_C = [p for p in C_FILES if "arch" not in p.relative_to(CSRC).parts]
PYTHON_FILES = sorted(
    path for folder in ("sandbox", "tests", "bench") for path in (ROOT / folder).rglob("*.py")
)
MODULES = sorted(  # below sandbox/, without the files that only say what a package is
    ".".join(path.relative_to(ROOT / "sandbox").with_suffix("").parts)
    for path in (ROOT / "sandbox").rglob("*.py")
    if path.name != "__init__.py"
)
PYTHON_FOLDERS = sorted({path.parent for path in PYTHON_FILES})
TEST_FOLDERS = sorted(
    {path.parent for path in (ROOT / "tests" / "unit").rglob("test_*.py")}
    - {ROOT / "tests" / "unit" / name for name in ("harness", "tools")}
)
KNOWS_UCONTEXT = {"trap", "signals"}
REGISTERS = re.compile(r"\b(?:[re](?:[abcd]x|[sd]i|[sbi]p|flags)|r(?:[89]|1[0-5]))\b")
PROCESSORS = re.compile(r"x86[_-]64|i[3-6]86|amd64|aarch64|arm64", re.IGNORECASE)
ASSEMBLY = re.compile(r"\b__asm(__)?\b|\basm\s*(volatile|goto|inline|\()")


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


def code_of(path: pathlib.Path) -> str:
    """Return C text without comments and string literals."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"(?m)^(?!\s*#\s*include)(.*)$", blank_strings, text)


def blank_strings(match: re.Match[str]) -> str:
    return re.sub(r'"(\\.|[^"\\])*"', '""', match[0])


def folder_of(path: pathlib.Path) -> str:
    """Return the row of FOLDERS that a file belongs to."""
    return row_of(path.relative_to(CSRC).as_posix())


def level_of(path: pathlib.Path) -> int:
    return FOLDERS[folder_of(path)]


def included(path: pathlib.Path) -> list[pathlib.Path]:
    """Return our own files that this one includes; a name without a folder is a processor's."""
    found = []
    for name in re.findall(r'(?m)^\s*#\s*include\s+"([^"]+)"', path.read_text()):
        found += [CSRC / name] if (CSRC / name).exists() else (CSRC / "arch").rglob(name)
    return found


def test_every_c_folder_declares_its_level() -> None:
    assert {folder_of(path) for path in C_FILES} == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_c_folder_is_no_wider_than_a_screen(folder: str) -> None:
    for path in CSRC.glob(folder) if folder else [CSRC]:
        assert len(list(path.iterdir())) <= WIDEST


def may_know(folder: str, other: str) -> bool:
    """Tell whether files of a folder may include and call those of another one."""
    return folder == other or FOLDERS[other] < FOLDERS[folder]


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_c_file_includes_only_its_own_folder_or_lower(path: pathlib.Path) -> None:
    folders = {folder_of(p.resolve()) for p in included(path)}
    assert [f for f in folders if not may_know(folder_of(path), f)] == []


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_internal_header_is_included_only_in_its_folder(path: pathlib.Path) -> None:
    internal = [p.resolve() for p in included(path) if p.name == "internal.h"]
    assert [name_of(p) for p in internal if p.parent != path.parent] == []


def is_handler(symbol: str) -> bool:
    """Tell whether a row of a table of system calls declares the function."""
    return any(
        re.search(rf"(?m)^(ON\({symbol[3:]}\)|CONVERT\(.*, {symbol[8:]}\))$", table.read_text())
        for table in CSRC.rglob("*.def")
    )


def test_what_a_c_file_defines_is_declared_in_its_header_or_its_folders() -> None:
    declared = declarations(CSRC)
    wrong = {
        symbol: file
        for symbol, file in public_symbols(CSRC, BUILDS).items()
        if not is_handler(symbol) and not declared.get(symbol, set()) & headers_for(file)
    }
    assert wrong == {}


def test_rows_of_system_calls_stand_below_the_name_of_their_handlers_file() -> None:
    files = {}
    for line in (CSRC / "syscalls.def").read_text().splitlines():
        file = re.match(r"/\* (on_\w+\.c)\b", line)
        row = re.match(r"ON\((\w+)\)", line)
        if file:
            where = file[1]
        if row:
            files[f"on_{row[1]}"] = where
    defined = public_symbols(CSRC, BUILDS)
    assert {
        name: file for name, file in files.items() if CSRC.joinpath(defined[name]).name != file
    } == {}


@pytest.mark.parametrize("path", COMMON_C, ids=name_of)
def test_only_arch_knows_the_processor(path: pathlib.Path) -> None:
    """A second processor needs a folder in csrc/arch and no change elsewhere."""
    text = path.read_text()
    assert not PROCESSORS.findall(text)
    assert not REGISTERS.findall(text)
    assert not re.findall(r'#\s*include\s+"arch/', text)


@pytest.mark.parametrize("path", COMMON_C, ids=name_of)
def test_assembly_lives_only_under_arch(path: pathlib.Path) -> None:
    assert not ASSEMBLY.search(code_of(path))


@pytest.mark.parametrize("path", COMMON_C, ids=name_of)
def test_only_signal_code_knows_ucontext(path: pathlib.Path) -> None:
    if path.stem not in KNOWS_UCONTEXT:
        assert not re.search(r"\bucontext|\bsigcontext|\bmcontext", code_of(path))


# Sources of the hosted build that see what guests write into the shared file, and why that is safe.
SEES_SHARED_MEMORY = {
    "hosted/shared_file.c": "bounds each value",
    "tree/control.c": "knows the size of the file",
    "tree/dircache.c": "compares counters",
    "view/spot.c": "asks the upper or not",
    "change/change_make.c": "makes the new file in one step or in two",
    "change/change_rename.c": "sets a flag",
    "change/copyup.c": "asks the upper or not",
    "change/upper.c": "sets a flag, and takes a number for a name that must be new",
    "change/upper_scan.c": "sets flags",
}


def everything_included(path: pathlib.Path) -> set[pathlib.Path]:
    """Return our own headers that a file includes, directly or not."""
    found: set[pathlib.Path] = set()
    left = [path]
    while left:
        new = {header.resolve() for header in included(left.pop())} - found
        found |= new
        left += new
    return found


def test_only_listed_files_of_the_host_side_open_what_guests_write() -> None:
    """Elsewhere the type is incomplete, so that the compiler refuses to look into it."""
    shared = CSRC / "base" / "shared_abi.h"
    sources = native_build().read_sources()
    seeing = {p for p in sources.hosted if shared in everything_included(p)}
    assert {p.relative_to(CSRC).as_posix() for p in seeing} == set(SEES_SHARED_MEMORY)


def test_python_does_not_know_the_type_of_what_guests_write() -> None:
    headers = [CSRC / name for name in native_build().CDEF_HEADERS]
    assert not any("struct sb_shared {" in path.read_text() for path in headers)


def test_every_c_source_belongs_to_a_build() -> None:
    sources = native_build().read_sources()
    listed = {*sources.hosted, *sources.guest}
    other = [f for f in (CSRC / "arch").iterdir() if f.name != native_build().architecture()]
    here = [p for p in C_FILES if p.suffix in (".c", ".S")]
    here = [p for p in here if not any(p.is_relative_to(arch) for arch in other)]
    assert sorted(name_of(p) for p in set(here) - listed) == []


def test_hosted_build_holds_no_guest_code() -> None:
    sources = native_build().read_sources()
    wrong = [p for p in sources.hosted if level_of(p) >= GUEST_ONLY_LEVEL]
    wrong += [p for p in sources.guest if folder_of(p) in HOSTED_ONLY]
    assert [name_of(p) for p in wrong] == []


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_c_file_opens_with_licence_and_purpose(path: pathlib.Path) -> None:
    head = path.read_text().splitlines()[:4]
    assert head[0] == "/* SPDX-License-Identifier: MIT */"
    assert path.name in " ".join(head)


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_c_file_is_short(path: pathlib.Path) -> None:
    if path.suffix != ".def" and path.name != "abi.h":  # tables
        assert len(path.read_text().splitlines()) <= 600


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_python_file_opens_with_its_licence(path: pathlib.Path) -> None:
    head = path.read_text().splitlines()[:2]  # a program's first line names its interpreter
    assert not head or "# SPDX-License-Identifier: MIT" in head


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_python_file_is_short(path: pathlib.Path) -> None:
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_only_native_imports_the_extension(path: pathlib.Path) -> None:
    if "native" in path.parts:
        return
    tree = ast.parse(path.read_text())
    modules = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert "sandbox.native._native" not in modules


def module_path(module: str) -> pathlib.Path:
    return ROOT.joinpath("sandbox", *module.split(".")).with_suffix(".py")


def own_test(module: str) -> pathlib.Path:
    """Return the test file of a module below sandbox/, whether it is there or not."""
    *packages, name = module.split(".")
    return ROOT.joinpath("tests", "unit", *packages, f"test_{name}.py")


@pytest.mark.parametrize("module", MODULES)
def test_python_module_has_its_test_file_or_says_what_tests_it(module: str) -> None:
    place = TESTED_ELSEWHERE.get(module)
    if place is None:
        assert own_test(module).exists(), "write it, or name its place in tests/tested_elsewhere.py"
        return
    assert (ROOT / place).exists()
    assert not own_test(module).exists(), "it has a file now: take it out of the table"
    purpose = ast.get_docstring(ast.parse(module_path(module).read_text())) or ""
    assert not re.search(r"\b[Pp]ure\b", purpose), "a pure module is tested in its own file"


def test_table_of_modules_tested_elsewhere_names_only_modules() -> None:
    assert sorted(set(TESTED_ELSEWHERE) - set(MODULES)) == []


@pytest.mark.parametrize("path", TEST_FOLDERS, ids=name_of)
def test_unit_tests_of_a_package_lie_where_the_package_does(path: pathlib.Path) -> None:
    assert (ROOT / "sandbox" / path.relative_to(ROOT / "tests" / "unit")).is_dir()


@pytest.mark.parametrize("path", PYTHON_FOLDERS, ids=name_of)
def test_python_folder_is_no_wider_than_a_screen(path: pathlib.Path) -> None:
    built = {"__pycache__", "_native.abi3.so", "sandbox-guest"}
    assert len([item for item in path.iterdir() if item.name not in built]) <= WIDEST


def test_no_file_names_a_machine() -> None:
    wrong = []
    places = [r"/home/(?!alice/)[a-z]+/", r"/root/\.", "/User[s]/", re.escape(f"{ROOT}/")]
    pattern = re.compile("|".join(places))
    folders = ("sandbox", "csrc", "tests", "bench", "docs", "tools", ".ci")
    paths = [p for f in folders for p in (ROOT / f).rglob("*") if p.is_file()]
    for path in [*paths, ROOT / "Makefile", ROOT / "pyproject.toml"]:
        if path.suffix in (".py", ".c", ".h", ".S", ".sh", ".md", ".toml", ".mk", ""):
            text = path.read_bytes().decode("utf-8", "replace")
            if "\0" in text:  # built, not written
                continue
            wrong += [f"{name_of(path)}: {m}" for m in pattern.findall(text)]
    assert wrong == []

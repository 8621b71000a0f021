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

ROOT = pathlib.Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"

# File stem (foo.c, foo.h and foo.def share one) -> level. A new file declares its place.
LEVELS = {
    0: "abi net base filesize mem sys sys32 rep layout",
    1: "path ids ids_exec acl log net_table net_place net_rules net_show net_link site syscalls"
    " verdict tracee i386",
    2: "index spot upper view view_walk view_stat control copyup copyup_content copyup_tree dirlist"
    " owner tree change proc_text proc_net proc_mounts change_make change_link change_name"
    " change_rename change_meta change_xattr change_quick xattr fds lists dirlist_index"
    " upper_scan dirlist_empty hosted hosted_change hosted_control hosted_tables hosted_text"
    " hosted_net hosted_tree hosted_pace index_build index_merge layer_draft layer_table layer_rows"
    " layer_quick view_path text text_build tracer probe dircache",
    3: "guest cwd target thread pids trace adopt dispatch binfmt_elf exec_plan confine maps"
    " sigmask socket_name",
    4: "trap patch signals boot",
}
LEVEL_OF = {stem: level for level, stems in LEVELS.items() for stem in stems.split()}

C_FILES = sorted(CSRC.rglob("*.[chS]")) + sorted(CSRC.rglob("*.def"))
COMMON_C = [p for p in C_FILES if "arch" not in p.relative_to(CSRC).parts]
PYTHON_FILES = sorted(
    path for folder in ("sandbox", "tests", "bench") for path in (ROOT / folder).rglob("*.py")
)
KNOWS_UCONTEXT = {"trap", "signals", "patch", "signal32"}
GUEST_ONLY_LEVELS = {3, 4}
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


def level_of(path: pathlib.Path) -> int:
    if path.suffix == ".S":
        return 4
    if "arch" in path.relative_to(CSRC).parts and path.stem not in LEVEL_OF:
        return 4
    if path.stem.startswith("on_"):
        return 3
    return LEVEL_OF[path.stem]


def included(path: pathlib.Path) -> list[pathlib.Path]:
    """Return our own files that this one includes."""
    found = []
    for name in re.findall(r'(?m)^\s*#\s*include\s+"([^"]+)"', path.read_text()):
        candidates = [path.parent / name, CSRC / name]
        candidates += [arch / name for arch in (CSRC / "arch").iterdir()]
        found.append(next((c for c in candidates if c.exists()), CSRC / name))
    return found


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_c_file_declares_its_level(path: pathlib.Path) -> None:
    assert level_of(path) in LEVELS


@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_c_file_includes_only_its_own_level_or_lower(path: pathlib.Path) -> None:
    level = level_of(path)
    higher = [name_of(p) for p in included(path) if level_of(p.resolve()) > level]
    assert not higher


@pytest.mark.parametrize("path", COMMON_C, ids=name_of)
def test_assembly_lives_only_under_arch(path: pathlib.Path) -> None:
    assert not ASSEMBLY.search(code_of(path))


@pytest.mark.parametrize("path", COMMON_C, ids=name_of)
def test_only_signal_code_knows_ucontext(path: pathlib.Path) -> None:
    if path.stem not in KNOWS_UCONTEXT:
        assert not re.search(r"\bucontext|\bsigcontext|\bmcontext", code_of(path))


def test_every_c_source_belongs_to_a_build() -> None:
    sources = native_build().read_sources()
    listed = {*sources.hosted, *sources.guest}
    arch = native_build().architecture()
    here = [p for p in C_FILES if p.suffix in (".c", ".S")]
    here = [p for p in here if p.parent == CSRC or p.parent.name == arch]
    assert sorted(name_of(p) for p in set(here) - listed) == []


def test_hosted_build_holds_no_guest_code() -> None:
    sources = native_build().read_sources()
    wrong = [p for p in sources.hosted if level_of(p) in GUEST_ONLY_LEVELS]
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

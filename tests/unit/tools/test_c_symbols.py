# SPDX-License-Identifier: MIT
"""What object files say of calls between C files."""

from __future__ import annotations

import pathlib
import subprocess

from tools import circles
from tools.c_symbols import c_calls, declarations, headers_for, public_symbols
from tools.graph import circles as circles_of

# Each function calls the next one; the last file is assembly and calls the first.
PLANTED = {
    "base/low.c": "int low(void) { return 0; }",
    "tree/one.c": "int two(void), low(void); int one(void) { return two() + low(); }",
    "tree/two.c": "int three(void); int two(void) { return three(); }",
    "tree/three.S": ".globl three\nthree: call one\n ret\n",
}


def build(root: pathlib.Path, sources: dict[str, str]) -> tuple[pathlib.Path, pathlib.Path]:
    """Write and compile sources; return the folder of the sources and of the objects."""
    csrc, objects = root / "csrc", root / "objects"
    objects.mkdir()
    for name, text in sources.items():
        path = csrc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        target = objects / (name.replace("/", "-") + ".o")
        subprocess.run(["gcc", "-c", path, "-o", target], check=True)
    return csrc, objects


def test_a_circle_of_c_files_is_found_through_assembly(tmp_path: pathlib.Path) -> None:
    csrc, objects = build(tmp_path, PLANTED)
    edges = c_calls(csrc, [objects])
    assert circles_of(edges) == [["tree/one.c", "tree/three.S", "tree/two.c"]]
    assert edges["tree/one.c", "base/low.c"] == ["low"]


def test_a_call_to_a_higher_folder_is_named(tmp_path: pathlib.Path) -> None:
    low = "int one(void); int low(void) { return one(); }"
    high = "int one(void) { return 0; }"
    csrc, objects = build(tmp_path, {"base/low.c": low, "tree/one.c": high})
    lines = circles.about_calls(c_calls(csrc, [objects]))
    assert lines == ["call to a higher folder: base/low.c -> tree/one.c: one"]


def test_objects_whose_source_is_gone_count_for_nothing(tmp_path: pathlib.Path) -> None:
    csrc, objects = build(tmp_path, PLANTED)
    (csrc / "tree/three.S").unlink()
    assert circles_of(c_calls(csrc, [objects])) == []


def test_static_functions_are_nobodys(tmp_path: pathlib.Path) -> None:
    text = "static int own(void) { return 0; } int shown; int all(void) { return own(); }"
    csrc, objects = build(tmp_path, {"base/a.c": text})
    assert public_symbols(csrc, [objects]) == {"all": "base/a.c", "shown": "base/a.c"}


def test_headers_declare_functions_and_variables_and_no_types(tmp_path: pathlib.Path) -> None:
    header = tmp_path / "base" / "a.h"
    header.parent.mkdir()
    header.write_text(
        "#define M(x) \\\n f(x)\n/* long g(void); */\nstruct s {\n struct t { int b; } c;\n};\n"
        "struct s;\nextern const char names[2];\nlong f(struct s *s,\n int b) SB_MUST_CHECK;\n"
        "static inline int d(void)\n{\n if (f(0, 1))\n  return 1;\n return 0;\n}\nvoid h(void);\n"
    )
    assert set(declarations(tmp_path)) == {"names", "f", "h"}
    assert headers_for("base/a.c") >= {"base/a.h", "base/base.h", "base/internal.h"}

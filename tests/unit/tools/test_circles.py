# SPDX-License-Identifier: MIT
"""The search for circles of files."""

from __future__ import annotations

import pathlib
from itertools import pairwise
from typing import TYPE_CHECKING

from tools import circles, graph
from tools.python_imports import python_imports

if TYPE_CHECKING:
    import pytest


def write(root: pathlib.Path, **files: str) -> None:
    for name, text in files.items():
        path = root / "pkg" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def found(root: pathlib.Path) -> list[list[str]]:
    return graph.circles(python_imports(root, ["pkg"]))


def test_two_files_that_import_each_other_are_a_circle(tmp_path: pathlib.Path) -> None:
    write(tmp_path, a="from pkg.b import x", b="from pkg import a", c="import pkg.a")
    assert found(tmp_path) == [["pkg/a.py", "pkg/b.py"]]


def test_an_import_in_a_function_or_for_annotations_counts(tmp_path: pathlib.Path) -> None:
    write(
        tmp_path,
        a="def f():\n    from pkg.b import x\n",
        b="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pkg.a\n",
    )
    assert found(tmp_path) == [["pkg/a.py", "pkg/b.py"]]


def test_a_long_circle_is_found_among_files_that_only_lead_to_it(tmp_path: pathlib.Path) -> None:
    names = [f"f{number}" for number in range(50)]
    imports = {name: f"import pkg.{after}" for name, after in pairwise(names)}
    write(tmp_path, **imports, **{names[-1]: "import pkg.f7"})
    assert found(tmp_path) == [sorted(f"pkg/{name}.py" for name in names[7:])]


def test_files_in_layers_are_no_circle(tmp_path: pathlib.Path) -> None:
    write(tmp_path, a="import pkg.b\nimport pkg.c", b="import pkg.c", c="import pkg")
    assert found(tmp_path) == []


def test_a_circle_is_shown_with_the_line_of_each_import(tmp_path: pathlib.Path) -> None:
    write(tmp_path, a="\n\nimport pkg.b", b="import pkg.a")
    edges = python_imports(tmp_path, ["pkg"])
    [group] = graph.circles(edges)
    assert graph.lines_about(group, edges) == [
        "circle of 2 files: pkg/a.py pkg/b.py",
        "    pkg/a.py -> pkg/b.py: 3",
        "    pkg/b.py -> pkg/a.py: 1",
    ]


def test_the_command_fails_if_there_is_a_circle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(circles, "report", lambda _: ["circle of 2 files: a b"])
    assert circles.main() == 1
    assert capsys.readouterr().out == "circle of 2 files: a b\n"
    monkeypatch.setattr(circles, "report", lambda _: [])
    assert circles.main() == 0

# SPDX-License-Identifier: MIT
"""The façade that takes its parts in one by one."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import pytest

import sandbox.engine
from sandbox.engine import Engine

_FOLDER = pathlib.Path(sandbox.engine.__file__).parent


def _parts() -> dict[str, set[str]]:
    """Return what each class of verbs defines, from the source."""
    found = {}
    for path in _FOLDER.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Verbs"):
                found[node.name] = {
                    item.name for item in node.body if isinstance(item, ast.FunctionDef)
                }
    return found


def test_every_verb_of_every_part_is_there_and_only_once() -> None:
    parts = _parts()
    names = [name for part in parts.values() for name in part]
    assert len(parts) >= 14
    assert len(names) == len(set(names))
    engine = Engine()
    for name in names:
        assert getattr(engine, name, None) is not None, name


def test_a_verb_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(AttributeError, match="'Engine' object has no attribute 'fly'"):
        _ = Engine().fly


@pytest.mark.parametrize(
    ("verb", "unneeded"),
    [
        ("run", {"running", "images", "archive", "building", "networks", "housekeeping"}),
        ("containers", {"running", "images", "archive", "building", "networks"}),
        ("execute", {"images", "archive", "building", "networks", "housekeeping"}),
    ],
)
def test_a_verb_imports_no_other_part(verb: str, unneeded: set[str]) -> None:
    code = (
        "import sys\nfrom sandbox.engine import Engine\n"
        f"Engine().{verb}\nprint(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "sandbox.engine.containers" in loaded
    assert not loaded & {f"sandbox.engine.{name}" for name in unneeded}

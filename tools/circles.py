# SPDX-License-Identifier: MIT
"""Print what the structure of the code forbids, and fail on it: ``python -m tools.circles``.

Circles of files, in Python by imports and in C by calls, and calls of C that go upwards
(FOLDERS in tests/test_architecture.py). ``python`` or ``c`` as an argument checks one alone.
"""

from __future__ import annotations

import pathlib
import sys
from typing import TYPE_CHECKING

from tests.test_architecture import BUILDS, may_know
from tools.c_symbols import c_calls, calls_that_may_not_be
from tools.graph import circles, lines_about
from tools.python_imports import python_imports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.graph import Edges

ROOT = pathlib.Path(__file__).resolve().parents[1]
PYTHON_FOLDERS = ("sandbox", "tests/harness", "bench", "tools")


def about_circles(edges: Edges) -> list[str]:
    """Return the lines about each circle."""
    return [line for group in circles(edges) for line in lines_about(group, edges)]


def about_calls(edges: Edges) -> list[str]:
    """Return the lines about circles of C files and about calls that go upwards."""
    found = calls_that_may_not_be(edges, may_know)
    return about_circles(edges) + [f"call to a higher folder: {line}" for line in found]


def report(languages: Sequence[str] = ("python", "c")) -> list[str]:
    """Return the lines about everything that is wrong."""
    found = []
    if "python" in languages:
        found += about_circles(python_imports(ROOT, PYTHON_FOLDERS))
    if "c" in languages:
        found += about_calls(c_calls(ROOT / "csrc", BUILDS))
    return found


def main(arguments: Sequence[str] = ()) -> int:
    """Print the report; 1 if it has a line."""
    lines = report(arguments or ("python", "c"))
    print("\n".join(lines) or "no circles of files, no calls upwards")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

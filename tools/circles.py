# SPDX-License-Identifier: MIT
"""Print each circle of source files, and fail if there is one: ``python -m tools.circles``."""

from __future__ import annotations

import pathlib
import sys

from tools.graph import circles, lines_about
from tools.python_imports import python_imports

ROOT = pathlib.Path(__file__).resolve().parents[1]
PYTHON_FOLDERS = ("sandbox", "tests/harness", "bench", "tools")


def report() -> list[str]:
    """Return the lines about all circles of the project's files."""
    found = []
    for edges in (python_imports(ROOT, PYTHON_FOLDERS),):
        for group in circles(edges):
            found += lines_about(group, edges)
    return found


def main() -> int:
    """Print the report; 1 if there is a circle."""
    lines = report()
    print("\n".join(lines) or "no circles of files")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""Which Python file imports which, wherever the import stands.

Rules: an import in a function, or for annotations only (TYPE_CHECKING), counts as any other.
``from package import name`` is an import of the module ``package.name`` where there is one.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Container, Iterator, Sequence

    from tools.graph import Edges


def python_imports(root: pathlib.Path, folders: Sequence[str]) -> Edges:
    """Return the imports among the files below *folders* of *root*; places are lines."""
    files = {
        _module_of(path.relative_to(root)): path
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
    }
    edges: Edges = {}
    for module, path in files.items():
        user = str(path.relative_to(root))
        for name, line in _imports(ast.parse(path.read_text()), files):
            if name != module:
                used = str(files[name].relative_to(root))
                edges.setdefault((user, used), []).append(str(line))
    return edges


def _module_of(path: pathlib.Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.AST, known: Container[str]) -> Iterator[tuple[str, int]]:
    """Yield each known module that is imported, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [item.name for item in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = [f"{node.module}.{item.name}" for item in node.names]
            names = [name if name in known else node.module for name in inner]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name in known)

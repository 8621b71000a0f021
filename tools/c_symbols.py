# SPDX-License-Identifier: MIT
"""Which C file defines a symbol, which uses it, and which header declares it.

How it works: the object files of a build say it (``nm``), assembly included. Headers are read
as text.
Rules: files are named relative to csrc/. Objects of sources that are no longer there are left out.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterable, Iterator

    from tools.graph import Edges

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"(?m)^[ \t]*#(.*\\\n)*.*$")
_BODY = re.compile(r"\{[^{}]*\}")
_FUNCTION = re.compile(r"\b(\w+)\s*\(")
_VARIABLE = re.compile(r"\bextern\b.*?(\w+)\s*(\[[^\]]*\])*$")


def c_calls(csrc: pathlib.Path, builds: Iterable[pathlib.Path]) -> Edges:
    """Return who uses which file, with the symbols, in all builds together."""
    edges: Edges = {}
    for build in builds:
        owners = {}
        users: dict[str, list[str]] = {}
        for file, kind, symbol in _symbols(csrc, build):
            if kind == "U":
                users.setdefault(symbol, []).append(file)
            elif kind.isupper():
                owners[symbol] = file
        for symbol, files in users.items():
            for file in files:
                pair = file, owners.get(symbol, file)
                if pair[0] != pair[1] and symbol not in edges.setdefault(pair, []):
                    edges[pair].append(symbol)
    return {pair: sorted(symbols) for pair, symbols in edges.items()}


def calls_that_may_not_be(edges: Edges, may_know: Callable[[str, str], bool]) -> list[str]:
    """Return a line for each use of a file in a folder that the user's folder may not know."""
    return [
        f"{user} -> {used}: {' '.join(symbols)}"
        for (user, used), symbols in sorted(edges.items())
        if not may_know(row_of(user), row_of(used))
    ]


def folder_of(file: str) -> str:
    """Return the folder of a file; "" for csrc/ itself.

    >>> folder_of("calls/fs/on_open.c"), folder_of("syscalls.def")
    ('calls/fs', '')
    """
    return file.rpartition("/")[0]


def row_of(file: str) -> str:
    """Return the folder of a file as a table of folders names it: of any processor.

    >>> row_of("calls/fs/on_open.c"), row_of("arch/x86_64/entry/entry.S")
    ('calls/fs', 'arch/*/entry')
    """
    return re.sub(r"^arch/[^/]+", "arch/*", folder_of(file))


def public_symbols(csrc: pathlib.Path, builds: Iterable[pathlib.Path]) -> dict[str, str]:
    """Return the C file that defines each public symbol."""
    return {
        symbol: file
        for build in builds
        for file, kind, symbol in _symbols(csrc, build)
        if kind.isupper() and kind != "U" and file.endswith(".c")
    }


def declarations(csrc: pathlib.Path) -> dict[str, set[str]]:
    """Return the headers that declare each function or variable."""
    found: dict[str, set[str]] = {}
    for header in sorted(csrc.rglob("*.h")):
        for name in declared_names(header.read_text()):
            found.setdefault(name, set()).add(str(header.relative_to(csrc)))
    return found


def declared_names(text: str) -> set[str]:
    """Return the functions and variables that a header's text declares.

    >>> sorted(declared_names("int f(int a) X; struct s { int b; }; extern int c[2]; "
    ...                       "static inline int d(void) { return f(1); }"))
    ['c', 'f']
    """
    text = _DIRECTIVE.sub("", _COMMENT.sub("", text))
    while _BODY.search(text):
        text = _BODY.sub("@", text)
    statements = [part.rpartition("@")[2].strip() for part in text.split(";")]
    matches = [_VARIABLE.search(part) or _FUNCTION.search(part) for part in statements]
    return {match[1] for match in matches if match is not None}


def headers_for(file: str) -> set[str]:
    """Return the headers that may declare what a C file defines.

    >>> sorted(headers_for("calls/fs/on_open.c"))
    ['calls/fs/fs.h', 'calls/fs/internal.h', 'calls/fs/on_open.h']
    """
    folder = folder_of(file)
    one = f"{folder}/{folder.rpartition('/')[2]}.h"
    return {one, f"{folder}/internal.h", file.removesuffix(".c") + ".h"}


def _symbols(csrc: pathlib.Path, build: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yield (file, nm's letter, symbol) of all objects of a build."""
    files = {
        path.relative_to(csrc).as_posix().replace("/", "-") + ".o": path.relative_to(csrc)
        for path in sorted(csrc.rglob("*.[cS]"))
    }
    objects = [name for name in files if (build / name).exists()]
    command = ["nm", "--format=posix", "--print-file-name", *objects]
    text = subprocess.run(command, cwd=build, capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        name, symbol, kind = line.split()[:3]
        yield files[name.removesuffix(":")].as_posix(), kind, symbol

# SPDX-License-Identifier: MIT
"""The filter: reads a trace from standard input, writes text to standard error or a file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TextIO

from sandbox.trace.decode import remark_of, text_of
from sandbox.trace.lines import Remark, parse
from sandbox.trace.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.trace.lines import Call

_REMARK_COLUMN = 72


def main() -> int:
    """Filter standard input until its end."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.trace")
    parser.add_argument("--count", action="store_true", help="print only a summary table")
    parser.add_argument("--calls", default="", metavar="NAME,...", help="print only these calls")
    parser.add_argument("--output", metavar="FILE", help="write to FILE, not to standard error")
    options = parser.parse_args()
    wanted = frozenset(name for name in options.calls.split(",") if name)
    if options.output:
        with open(options.output, "w", encoding="utf-8", errors="surrogateescape") as out:
            show(sys.stdin.buffer, out, wanted, count=options.count)
    else:
        sys.stderr.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        show(sys.stdin.buffer, sys.stderr, wanted, count=options.count)
    return 0


def show(source: Iterable[bytes], out: TextIO, wanted: frozenset[str], *, count: bool) -> None:
    """Write every wanted line as text, or with *count* a table of sums."""
    summary = Summary()
    for line in source:
        found = parse(line)
        if found is None or (wanted and found.name not in wanted):
            continue
        if count and not isinstance(found, Remark):
            summary.add(found)
        elif not count:
            print(_shown(found), file=out, flush=True)
    if count:
        for row in summary.lines():
            print(row, file=out)


def _shown(found: Call | Remark) -> str:
    if isinstance(found, Remark):
        return f"{found.pid} {found.name}: {found.text}"
    return f"{found.pid} {text_of(found)}".ljust(_REMARK_COLUMN) + f" <{remark_of(found)}>"


if __name__ == "__main__":
    sys.exit(main())
